"""Reading members: who, since when, who came and went and why, how sizes developed, and how current all that is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Subquery

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.errors import NotFound
from hongyan.audience.membership.types import (
    Cause,
    CauseKind,
    DaySize,
    MemberRow,
    MembershipState,
    MembersPage,
    MoveRow,
    Standing,
)
from hongyan.audience.models import SavedAudience
from hongyan.audience.models_membership import (
    AudienceSnapshot,
    Following,
    Member,
    MemberDay,
    MemberLane,
    MemberMove,
)
from hongyan.audience.people import Person, people_of
from hongyan.core import clock
from hongyan.core.sql import SQL

_WAITING = MembershipState(live=True, standing=Standing.WAITING)


def state_of(*, actor: Actor, audience: SavedAudience) -> MembershipState:
    return states(actor=actor, audience_ids=[audience.pk]).get(audience.pk, _WAITING)


def states(*, actor: Actor, audience_ids: Sequence[int] | None = None) -> dict[int, MembershipState]:
    """By id of the audience; one question for all. One the lane has not met yet is missing: it is waiting."""
    actor.require(Permission.CONTACT_VIEW)
    lane = MemberLane.objects.order_by("pk")
    rows = Following.objects.annotate(
        passed_at=Subquery(lane.values("passed_at")[:1]), lag_s=Subquery(lane.values("lag_s")[:1])
    )
    if audience_ids is not None:
        rows = rows.filter(audience_id__in=list(audience_ids))
    return {row.audience_id: _state(row, row.passed_at, row.lag_s) for row in rows}


def members_page(*, actor: Actor, audience: SavedAudience, after: int = 0, limit: int = 50) -> MembersPage:
    """By contact id, from the one after ``after``."""
    actor.require(Permission.CONTACT_VIEW)
    members = Member.objects.filter(audience=audience, contact_id__gt=after).order_by("contact_id")
    rows = list(members.values_list("contact_id", "since")[: limit + 1])
    people = _people(actor, [contact_id for contact_id, _ in rows[:limit]])
    found = [MemberRow(people[contact_id], since) for contact_id, since in rows[:limit] if contact_id in people]
    return MembersPage(found, rows[limit - 1][0] if len(rows) > limit else None)


def moves(
    *,
    actor: Actor,
    audience: SavedAudience,
    entered: bool | None = None,
    before: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> list[MoveRow]:
    """Who came and went, newest first. entered: only those who came (True) or went (False)."""
    actor.require(Permission.CONTACT_VIEW)
    rows = MemberMove.objects.filter(audience=audience).order_by("-at", "-id")
    if entered is not None:
        rows = rows.filter(entered=entered)
    if before is not None:
        at, last_id = before
        rows = rows.filter(at__lte=at).exclude(at=at, id__gte=last_id)
    found = list(rows[:limit])
    people = _people(actor, [row.contact_id for row in found])
    return [
        MoveRow(row.pk, row.at, row.entered, Cause(CauseKind(row.kind), row.cause), people[row.contact_id])
        for row in found
        if row.contact_id in people
    ]


def sizes_over_time(*, actor: Actor, audience: SavedAudience, days: int = 90) -> list[DaySize]:
    """Every day since following began, at most so many, oldest first; days on which nothing moved carry the size on."""
    actor.require(Permission.CONTACT_VIEW)
    today = clock.now().astimezone(ZoneInfo(settings.HONGYAN_TIME_ZONE)).date()
    first = today - timedelta(days=days - 1)
    # One row more than days asked for: if anything stands before the first day, its latest is among them.
    newest = MemberDay.objects.filter(audience=audience).order_by("-day")[: days + 1]
    rows = {row.day: row for row in newest}
    earlier = next((row for row in rows.values() if row.day < first), None)
    rows = {day: row for day, row in rows.items() if day >= first}
    if earlier is None:
        first = min(rows, default=today + timedelta(days=1))
    found, size = [], earlier.size if earlier else 0
    for number in range((today - first).days + 1):
        day = first + timedelta(days=number)
        row = rows.get(day)
        if row is None:
            found.append(DaySize(day, size, 0, 0))
            continue
        size = row.size
        causes = {Cause.of_key(key): (came, went) for key, (came, went) in row.causes.items()}
        found.append(DaySize(day, size, row.entered, row.left, causes))
    return found


def is_member_since(*, actor: Actor, audience: SavedAudience, contact_id: int) -> datetime | None:
    """None: not a member."""
    actor.require(Permission.CONTACT_VIEW)
    found: datetime | None = (
        Member.objects.filter(audience=audience, contact_id=contact_id).values_list("since", flat=True).first()
    )
    return found


def audiences_of_contact(*, actor: Actor, contact_id: int) -> list[tuple[SavedAudience, datetime]]:
    """Live audiences the contact is in, the newest membership first."""
    actor.require(Permission.CONTACT_VIEW)
    rows = Member.objects.filter(contact_id=contact_id).select_related("audience").order_by("-since", "audience_id")
    return [(row.audience, row.since) for row in rows]


def members_sql(audience: SavedAudience) -> SQL | None:
    """The members as a SELECT of contact ids, for other rooms; None unless they are current."""
    if not Following.objects.filter(audience=audience, state=Following.State.CURRENT).exists():
        return None
    return SQL("SELECT contact_id AS id FROM audience_member WHERE audience_id = %(a0)s", {"a0": audience.pk})


def snapshots_of(*, actor: Actor, audience: SavedAudience) -> list[AudienceSnapshot]:
    actor.require(Permission.CONTACT_VIEW)
    return list(AudienceSnapshot.objects.filter(audience=audience).select_related("list").order_by("-created_at"))


def snapshot_by_id(*, actor: Actor, public_id: UUID) -> AudienceSnapshot:
    """Raises NotFound."""
    actor.require(Permission.CONTACT_VIEW)
    found = AudienceSnapshot.objects.filter(public_id=public_id).select_related("list", "audience").first()
    if found is None:
        raise NotFound
    return found


def _state(row: Following, passed_at: datetime | None, lag_s: float | None) -> MembershipState:
    current = row.state == Following.State.CURRENT
    return MembershipState(
        live=row.live,
        standing=Standing(row.state),
        size=row.size if row.live and row.filled_at else None,
        as_of=passed_at if current else None,
        lag_s=lag_s if current else None,
        filled_at=row.filled_at,
        seconds=row.seconds if row.computed_at else None,
        problem=row.problem,
    )


def _people(actor: Actor, ids: Sequence[int]) -> dict[int, Person]:
    return {person.id: person for person in people_of(actor, list(dict.fromkeys(ids)))}
