"""A saved audience of the demo with a past of some weeks: who was in it at the end of each of those days is asked of the
real conditions as of then, so that its size, its moves and what caused them are what they would have been."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import numpy as np
from django.db import connection, transaction

from hongyan.accounts.types import Actor
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.insight.members import Ids, member_ids
from hongyan.audience.membership import writing
from hongyan.audience.membership.types import Cause, CauseKind
from hongyan.audience.models import Following, SavedAudience
from hongyan.audience.saved import audience_create
from hongyan.core import clock
from hongyan.core.sql import numbers

NAME: Final = "看过商品还没下单"
_ABOUT: Final = "30 天内看过商品、90 天内没有下单的人"
_COMING, _GOING = "product_viewed", "order_completed"
_TREE: Final[dict[str, Any]] = {
    "all": [{"event": _COMING, "within_days": 30}, {"not": {"event": _GOING, "within_days": 90}}]
}
DAYS: Final = 30
Report = Callable[[int], None]


def followed_make(*, actor: Actor, now: datetime, report: Report) -> None:
    if SavedAudience.objects.filter(name=NAME).exists():
        return
    catalogue = catalogue_now()
    days = [now - timedelta(days=ago) for ago in range(DAYS, -1, -1)]
    with clock.freeze(days[0]):
        audience = audience_create(actor=actor, name=NAME, tree=_TREE, description=_ABOUT)
    with transaction.atomic():
        Following.objects.create(audience=audience, filled_at=days[0])
        held = member_ids(_TREE, catalogue=catalogue, now=days[0])
        writing.put(audience.pk, held.tolist(), at=days[0])
        writing.note_sizes(days[0])
    for number, (before, day) in enumerate(pairwise(days)):
        meant = member_ids(_TREE, catalogue=catalogue, now=day)
        with transaction.atomic():
            _moves(audience, held, meant, before, day)
        held = meant
        report(number + 1)


def _moves(audience: SavedAudience, held: Ids, meant: Ids, before: datetime, day: datetime) -> None:
    came, gone = np.setdiff1d(meant, held).tolist(), np.setdiff1d(held, meant).tolist()
    writing.write(
        [(audience.pk, contact, cause) for contact, cause in _causes(came, _COMING, before, day)],
        [(audience.pk, contact, cause) for contact, cause in _causes(gone, _GOING, before, day)],
        public_ids={audience.pk: str(audience.public_id)},
        at=day,
    )
    writing.note_sizes(day)


def _causes(contacts: Sequence[int], event: str, after: datetime, upto: datetime) -> list[tuple[int, Cause]]:
    """What they did that day, or that time passed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT contact_id FROM events_event "
            "WHERE contact_id = ANY(%s::bigint[]) AND name = %s AND occurred_at > %s AND occurred_at <= %s",
            [numbers(contacts), event, after, upto],
        )
        did = {row[0] for row in cursor.fetchall()}
    return [
        (contact, Cause(CauseKind.EVENT, event) if contact in did else Cause(CauseKind.TIME)) for contact in contacts
    ]
