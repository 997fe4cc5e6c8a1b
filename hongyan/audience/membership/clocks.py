"""Notes of the next moments at which values of people (dates, times) may turn a condition, of one reader: a lane.

A clock of a reader is a condition; of each contact it has at most the next moment. When a clock has gone off, the
contact is asked again and the moment after that is noted. (Two notes of one contact are needless and harmless.)
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from hongyan.audience import rows
from hongyan.audience.membership.turning import Clock
from hongyan.audience.models import MemberClock
from hongyan.core.sql import numbers, statement, texts

OF_EVENT: Final = "event:"  # keys of clocks for events that say they happen later than they came
_SPAN: Final = 50_000  # ids of contacts whose moments are noted in one
Rang = tuple[int, int, datetime]  # number of the clock, contact, moment


def rows_of(reader: str, wanted: Mapping[str, bool]) -> dict[str, MemberClock]:
    """wanted: key → whether its moments are days. A row for each, made where it is missing."""
    found = _rows(reader, wanted)
    missing = [MemberClock(reader=reader, key=key, by_day=day) for key, day in wanted.items() if key not in found]
    if missing:
        MemberClock.objects.bulk_create(missing, ignore_conflicts=True)
        found = _rows(reader, wanted)
    return found


def _rows(reader: str, wanted: Iterable[str]) -> dict[str, MemberClock]:
    return {row.key: row for row in MemberClock.objects.filter(reader=reader, key__in=list(wanted))}


def prepare(reader: str, clocks: Mapping[str, Clock]) -> dict[str, MemberClock]:
    """Clocks that nobody asked for a while are behind: they must be filled anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE audience_memberclock SET filled = false "
            "WHERE reader = %s AND filled AND NOT key = ANY(%s) AND NOT starts_with(key, %s)",
            [reader, list(clocks), OF_EVENT],
        )
    return rows_of(reader, {key: clock.by_day for key, clock in clocks.items()})


def fill(row: MemberClock, clock: Clock, *, now: datetime, zone: ZoneInfo) -> None:
    """The next moment of everybody. The lane already notes those of contacts that change, so nothing is missed."""
    following = clock.next(among="BETWEEN %(low)s AND %(high)s")
    last = rows.query("SELECT coalesce(max(id), 0) FROM contacts_contact", {})[0][0]
    for low in range(1, last + 1, _SPAN):
        bound = {"clock": row.pk, "low": low, "high": low + _SPAN - 1, "moment": clock.moment(now, zone)}
        with transaction.atomic():
            _insert(following.text, {**following.params, **bound})
    MemberClock.objects.filter(pk=row.pk).update(filled=True)


def rang(reader: str, clocks: Iterable[Clock], *, now: datetime, zone: ZoneInfo, limit: int) -> list[Rang]:
    """Notes whose moment has come, the oldest first."""
    days = {clock.moment(now, zone) for clock in clocks if clock.by_day}
    with connection.cursor() as cursor:
        cursor.execute(_sql("due"), {"reader": reader, "now": now, "day": min(days, default=now), "limit": limit})
        return list(cursor.fetchall())


def done(notes: Sequence[Rang]) -> None:
    """Take them away."""
    if notes:
        _run(
            "due_done",
            clocks=numbers(clock for clock, _, _ in notes),
            contacts=numbers(contact for _, contact, _ in notes),
            dues=texts(at.isoformat() for _, _, at in notes),
        )


def note(row: MemberClock, clock: Clock, contacts: Iterable[int], *, now: datetime, zone: ZoneInfo) -> None:
    """What comes next for these contacts, instead of what was noted."""
    ids = numbers(contacts)
    _run("due_forget", clock=row.pk, ids=ids)
    following = clock.next(among="= ANY(%(ids)s::bigint[])")
    bound = {"ids": ids, "clock": row.pk, "moment": clock.moment(now, zone)}
    _insert(following.text, {**following.params, **bound})


def note_at(notes: Sequence[Rang]) -> None:
    _run(
        "due_at",
        clocks=numbers(clock for clock, _, _ in notes),
        contacts=numbers(contact for _, contact, _ in notes),
        dues=texts(at.isoformat() for _, _, at in notes),
    )


def _insert(following: str, bound: Mapping[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audience_memberdue (clock_id, contact_id, due_at) "
            f"SELECT %(clock)s, n.contact_id, n.due_at FROM ({following}) n ON CONFLICT DO NOTHING",
            bound,
        )


def _sql(name: str) -> str:
    return statement("hongyan.audience", "membership.sql", name)


def _run(name: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_sql(name), values)
