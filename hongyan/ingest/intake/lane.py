"""The lane: takes accepted requests out of the inbox and makes contacts and facts of them, each batch in one
transaction with the deletion of its requests. Killed at any instant, the batch is as if it had never been begun."""

import asyncio
import gc
import logging
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import DatabaseError, connection, transaction

from hongyan.accounts.types import system_actor
from hongyan.contacts.activity import mark_active
from hongyan.core import clock
from hongyan.core.crypto.keyring import keyring
from hongyan.core.crypto.sealing import SealBroken
from hongyan.core.sql import numbers, statement, texts
from hongyan.ingest.intake import calls, facts, groups, shop, wire
from hongyan.ingest.intake.people import People
from hongyan.ingest.intake.reserved import reserved
from hongyan.ingest.intake.work import Bad, Item, Sender
from hongyan.ingest.models_intake import WriteKey
from hongyan.ingest.quarantine import NewQuarantined, Trouble, quarantine_add
from hongyan.jobs.lanes import keep_turning
from hongyan.jobs.worker import lane_note

log = logging.getLogger("hongyan.intake")

QUARANTINE_KIND = "call"  # payload: {"kind": …, "call": …, "received_at": …, "key": id of the write key}
_LOCK = 7_105_030  # advisory lock: one lane takes at a time, in order; another is ready when its worker dies
_CALLS = 2_000  # a transaction
_REQUESTS = 2_000
_REST_S = 0.25
_ACTOR = system_actor("event intake")


@dataclass(frozen=True, slots=True)
class Taken:
    """One request out of the inbox."""

    id: int
    write_key_id: int
    received_at: datetime
    kind: str
    calls: int
    packed: bool
    checked: bool
    body: bytes


async def run_intake(stop: asyncio.Event) -> None:
    await keep_turning(_turn, stop, rest_s=_REST_S)


def _turn() -> int:
    done = take_calls()
    if done:
        lane_note("intake", calls=done)
    return done


def take_calls(*, most: int = _CALLS) -> int:
    """Process what waits, up to about ``most`` calls. Returns how many calls were taken; 0 also while another works.

    A batch that fails is taken again one request at a time, and a request that fails by itself goes to quarantine
    whole: nothing is lost, and nothing holds up what comes after it.
    """
    try:
        return _take(most)
    except DatabaseError:
        raise  # the database's trouble, not that of what was sent: the same again, later
    except Exception as error:
        log.exception("batch failed", extra={"why": type(error).__name__})
    try:
        return _take(1)
    except DatabaseError:
        raise
    except Exception as error:
        log.exception("request failed", extra={"why": type(error).__name__})
    return _set_aside()


def _take(most: int) -> int:
    with _no_collector(), transaction.atomic():
        requests = _claim(most)
        if not requests:
            return 0
        items, bad = _read(requests)
        repeats = process(items, bad)
        _count(requests, items, bad, repeats)
    return sum(request.calls for request in requests)


@contextmanager
def _no_collector() -> Iterator[None]:
    """A batch makes some hundred thousand objects at once and none in circles: Python's collector would look through
    the whole process for them, a third of the time of a batch. They are freed without it when the batch is over."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _claim(most: int) -> list[Taken]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        row = cursor.fetchone()
        if row is None or not row[0]:
            return []
        cursor.execute(
            statement("hongyan.ingest", "intake.sql", "claim"),
            {"calls": most, "requests": 1 if most == 1 else _REQUESTS},
        )
        found = [Taken(*values) for values in cursor.fetchall()]
    return sorted(found, key=lambda request: request.id)


def process(items: Sequence[Item], bad: Sequence[Bad], *, keep_troubles: bool = True) -> dict[int, int]:
    """In the caller's transaction. Returns repeats by write key. keep_troubles False: the caller keeps what is bad."""
    people = People(at=clock.now())
    people.settle(items)
    shop.take_orders(items, actor=_ACTOR)
    repeats = facts.record([item for item in items if not item.in_shop])
    people.tie_past()
    for item in items:
        if item.call.type == "group":
            groups.join(item, actor=_ACTOR)
    _active(items)
    if keep_troubles:
        _quarantine(items, bad)
    return repeats


def _read(requests: Sequence[Taken]) -> tuple[list[Item], list[Bad]]:
    senders = {
        row.pk: Sender(row.pk, row.key, browser=row.kind == WriteKey.Kind.BROWSER, kind=row.kind)
        for row in WriteKey.objects.filter(pk__in={request.write_key_id for request in requests})
    }
    items: list[Item] = []
    bad: list[Bad] = []
    for request in requests:
        sender = senders[request.write_key_id]
        try:
            content = opened(request)
        except (SealBroken, zlib.error):
            log.error("request cannot be opened", extra={"request": request.id})  # noqa: TRY400  says nothing more
            bad.append(Bad(sender, None, request.kind, Trouble("seal_broken")))
            continue
        parsed = orjson.loads(content)
        checked = request.checked
        if b"\\u0000" in content:
            parsed, checked = without_nul(parsed), False
        read = wire.split(request.kind, content, parsed)
        sent_at = read.shared.get("sentAt")
        for raw in read.calls:
            one = read_call(sender, raw, request.kind, request.received_at, sent_at, checked=checked)
            if isinstance(one, Item):
                items.append(one)
            else:
                bad.append(one)
    return items, bad


def read_call(
    sender: Sender, raw: Any, kind: str, received_at: datetime, sent_at: Any, *, checked: bool = False
) -> Item | Bad:
    """checked: the edge has looked already, with the same rules."""
    trouble = None if checked else calls.fault(raw, kind) or reserved(raw, sender.kind)
    if trouble is not None:
        return Bad(sender, raw, kind, trouble)
    call = calls.read(raw, kind, received_at=received_at, sent_at=sent_at)
    return Item(sender, call, raw, kind, received_at)


def opened(request: Taken) -> bytes:
    body = keyring().records.open(bytes(request.body), owner_id=request.write_key_id)
    return zlib.decompress(body) if request.packed else body


def without_nul(value: Any) -> Any:
    """PostgreSQL's texts cannot hold U+0000, and nobody means it."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {without_nul(key): without_nul(inner) for key, inner in value.items()}
    return [without_nul(inner) for inner in value] if isinstance(value, list) else value


def _active(items: Sequence[Item]) -> None:
    """People did something themselves; what a server says of them is not their doing."""
    latest: dict[int, datetime] = {}
    for item in items:
        if item.contact_id is not None and not item.dropped and item.call.name and item.sender.kind != "server":
            latest[item.contact_id] = max(item.call.occurred_at, latest.get(item.contact_id, item.call.occurred_at))
    mark_active(latest)


def _quarantine(items: Sequence[Item], bad: Sequence[Bad]) -> None:
    """Bad calls, and calls of which something could not be taken: those are kept whole, and can be taken again whole.
    Of people who were erased nothing is kept."""
    waiting: dict[str, list[NewQuarantined]] = {}
    for one in bad:
        waiting.setdefault(one.sender.key, []).append(
            payload_of(one.sender, one.raw, one.kind, clock.now(), one.trouble)
        )
    for item in items:
        if item.troubles and not item.dropped:
            waiting.setdefault(item.sender.key, []).append(
                payload_of(item.sender, item.raw, item.kind, item.received_at, item.troubles[0])
            )
    for source, records in waiting.items():
        quarantine_add(source=source, kind=QUARANTINE_KIND, items=records)


def payload_of(sender: Sender, raw: Any, kind: str, received_at: datetime, trouble: Trouble) -> NewQuarantined:
    content = {"kind": kind, "call": raw, "received_at": received_at, "key": sender.id}
    return NewQuarantined(orjson.dumps(content, option=orjson.OPT_INDENT_2), trouble)


def _count(requests: Sequence[Taken], items: Sequence[Item], bad: Sequence[Bad], repeats: Mapping[int, int]) -> None:
    came, kept_back, at = Counter[int](), Counter[int](), dict[int, datetime]()
    for request in requests:
        came[request.write_key_id] += request.calls
        at[request.write_key_id] = request.received_at
    for one in bad:
        kept_back[one.sender.id] += 1
    for item in items:
        kept_back[item.sender.id] += bool(item.troubles)
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.ingest", "intake.sql", "count_calls"),
            {
                "ids": numbers(came),
                "at": texts([at[pk].isoformat() for pk in came]),
                "calls": numbers(came.values()),
                "repeats": numbers([repeats.get(pk, 0) for pk in came]),
                "quarantined": numbers([kept_back[pk] for pk in came]),
            },
        )


def _set_aside() -> int:
    """The oldest request, whole, to quarantine."""
    with transaction.atomic():
        requests = _claim(1)
        trouble = Trouble("processing_failed")
        for request in requests:
            sender = Sender(request.write_key_id, _key_of(request.write_key_id), browser=False, kind="server")
            parsed = orjson.loads(opened(request))
            calls_sent = [parsed] if request.kind else parsed["batch"]
            records = [payload_of(sender, raw, request.kind, request.received_at, trouble) for raw in calls_sent]
            quarantine_add(source=sender.key, kind=QUARANTINE_KIND, items=records)
    return sum(request.calls for request in requests)


def _key_of(pk: int) -> str:
    return WriteKey.objects.values_list("key", flat=True).get(pk=pk)
