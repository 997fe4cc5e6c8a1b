"""Which audiences mean which of some contacts: one look at the contacts and what they did, many questions about it.

Everything the definitions may ask of the batch is first copied into two small tables of this session (``own_tables``).
Asked of those, a definition costs a fraction of a millisecond; asked of the partitioned fact log, planning alone takes
several.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection

from hongyan.audience.membership.months import Months
from hongyan.audience.membership.needs import Needs, Reach, earliest
from hongyan.audience.membership.plan import Plan, Watched
from hongyan.audience.membership.types import LET_IN, LET_OUT, Why
from hongyan.core.sql import numbers, statement, texts

CHUNK: Final = 2_000  # contacts looked at together
_TOGETHER: Final = 25  # definitions asked in one statement
Pairs = set[tuple[int, int]]  # (audience, contact)


def ready() -> None:
    """This session's own tables, made once. Outside transactions, so that one rolled back does not take them along."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pg_temp.member_events') IS NULL")
        if cursor.fetchone()[0]:
            cursor.execute(_sql("own_tables"))


def changes(
    plan: Plan, wanted: Mapping[int, Mapping[int, Why]], *, now: datetime, months: Months | None = None
) -> tuple[Pairs, Pairs]:
    """wanted: audience → contacts whose membership is in question. Returns who is to come and who is to go.

    In a transaction; repeatable read makes it one look at everything.
    """
    came, gone = Pairs(), Pairs()
    everybody = sorted({contact for contacts in wanted.values() for contact in contacts})
    for first in range(0, len(everybody), CHUNK):
        chunk = everybody[first : first + CHUNK]
        among = set(chunk) if len(everybody) > CHUNK else set(everybody)
        in_now = _members(chunk, wanted)
        asked = {number: _open(number, whys, among, in_now) for number, whys in wanted.items()}
        asked = {number: contacts for number, contacts in asked.items() if contacts}
        if not asked:
            continue
        meant = _meant(plan, asked, sorted(set().union(*asked.values())), now, months)
        came |= meant - in_now
        gone |= {pair for pair in in_now - meant if pair[1] in asked.get(pair[0], ())}
    return came, gone


def _open(number: int, whys: Mapping[int, Why], among: set[int], in_now: Pairs) -> set[int]:
    """Contacts whose membership what happened can really change."""
    return {
        contact
        for contact, why in whys.items()
        if contact in among and why.may & (LET_OUT if (number, contact) in in_now else LET_IN)
    }


def _members(contacts: Sequence[int], audiences: Iterable[int]) -> Pairs:
    with connection.cursor() as cursor:
        cursor.execute(_sql("members_of"), {"ids": numbers(contacts), "audiences": numbers(audiences)})
        return set(cursor.fetchall())


def _meant(
    plan: Plan, asked: Mapping[int, Collection[int]], contacts: Sequence[int], now: datetime, months: Months | None
) -> Pairs:
    audiences = [plan.watched[number] for number in asked]
    found = Pairs()
    take([one.needs for one in audiences], contacts, now=now, months=months)
    with connection.cursor() as cursor:
        for first in range(0, len(audiences), _TOGETHER):
            together = audiences[first : first + _TOGETHER]
            cursor.execute(_question(together), _values(together, asked, now))
            for number, members in cursor.fetchall():
                found.update((number, contact) for contact in members or ())
    return found


def take(needs: Iterable[Needs], contacts: Sequence[int], *, now: datetime, months: Months | None = None) -> None:
    """Copy these contacts, and what definitions with these needs look at, into the session's tables. In a transaction,
    with whose end they are empty again."""
    since = _counted_since(needs, now)
    known = months.names if months is not None and months.whole else frozenset()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE member_contacts, member_events")
        cursor.execute(_sql("take_contacts"), {"ids": numbers(contacts)})
        for names, at in _looked_at({name: at for name, at in since.items() if name not in known}):
            cursor.execute(_sql("take_events"), {"ids": numbers(contacts), "names": texts(names), "since": at})
        if months is not None and (far := known & since.keys()):
            spans = months.spans(contacts)
            at = None if any(since[name] is None for name in far) else min(filter(None, map(since.get, far)))
            bound = {
                "ids": numbers(contact for contact, _, _ in spans),
                "lows": texts(low for _, low, _ in spans),
                "highs": texts(high for _, _, high in spans),
            }
            cursor.execute(_sql("take_spans"), {**bound, "names": texts(far), "since": at})


def _counted_since(needs: Iterable[Needs], now: datetime) -> dict[str, datetime | None]:
    """Of each event the first instant any of them counts from; None: ever."""
    reaches: dict[str, list[Reach]] = {}
    for one in needs:
        for name, reach in one.reaches.items():
            reaches.setdefault(name, []).extend(reach)
    return {name: earliest(reach, now) for name, reach in reaches.items()}


def _looked_at(since: Mapping[str, datetime | None]) -> list[tuple[list[str], datetime | None]]:
    """(names, since): events that count from ever, and those that count from some instant. Apart, because the latter
    are looked for in a few months only."""
    ever = [name for name, at in since.items() if at is None]
    lately = {name: at for name, at in since.items() if at is not None}
    found: list[tuple[list[str], datetime | None]] = [(ever, None)] if ever else []
    return [*found, (list(lately), min(lately.values()))] if lately else found


def _question(audiences: Iterable[Watched]) -> str:
    return " UNION ALL ".join(f"SELECT {one.id}, array_agg(m.id) FROM ({one.statement.text}) AS m" for one in audiences)


def _values(audiences: Iterable[Watched], asked: Mapping[int, Collection[int]], now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for one in audiences:
        values |= one.statement.params(now)
        values[f"w{one.id}_ids"] = numbers(asked[one.id])
    return values


def _sql(name: str) -> str:
    return statement("hongyan.audience", "membership.sql", name)
