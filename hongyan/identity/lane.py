"""New contacts meet those there are within a second or two, each by itself. Many at once, as an import brings them, are
left to the run every quarter of an hour, which also sees what changed and whatever this lane has missed."""

import asyncio
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Max

from hongyan.accounts.types import system_actor
from hongyan.contacts.models import Contact
from hongyan.identity.models import Run
from hongyan.jobs.lanes import keep_turning
from hongyan.jobs.worker import lane_note

MOST: Final = 20  # in one turn: a look takes about a fiftieth of a second, and other work waits for the same cores
_REST_S: Final = 1.0
_LOCK: Final = 7_105_301  # advisory lock: one worker looks


@dataclass(slots=True)
class Newcomers:
    """seen: the greatest contact id this process has dealt with; None: not begun."""

    seen: int | None = None

    def turn(self) -> bool:
        newest = Contact.objects.aggregate(found=Max("pk"))["found"] or 0
        if self.seen is None or newest <= self.seen:
            self.seen = newest
            return False
        waiting = list(Contact.objects.filter(pk__gt=self.seen).order_by("pk").values_list("pk", flat=True)[: MOST + 1])
        if len(waiting) <= MOST and matching_is_wanted():
            self._look(waiting)
        self.seen = newest
        return False

    def _look(self, contact_ids: list[int]) -> None:
        from hongyan.identity.arriving import resolve_one  # the libraries of matching load where matching runs

        actor = system_actor("identity run")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return
            try:
                joined = sum(resolve_one(actor=actor, contact_id=number) != number for number in contact_ids)
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
        lane_note("identity", contacts=len(contact_ids), joined=joined)


def matching_is_wanted() -> bool:
    """Somebody has had all contacts compared, and nobody does so just now: nothing is merged before that is wanted."""
    finished = Run.objects.filter(state=Run.State.FINISHED, until__isnull=False).exists()
    return (
        finished
        and not Run.objects.filter(state=Run.State.RUNNING, job__isnull=False, job__finished_at__isnull=True).exists()
    )


async def run_arriving(stop: asyncio.Event) -> None:
    await keep_turning(Newcomers().turn, stop, rest_s=_REST_S)
