"""Which properties stand in files: what the plan knows as scalar and in the open, and what somebody asked for."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hongyan.events import context
from hongyan.events.models_catalogue import EventProperty
from hongyan.events.models_history import HistoryProperty
from hongyan.events.sensitive import telling

MOST_KEYS = 16  # of one name by itself; each costs its column in every file of the name
MOST_ASKED = 32  # and what was asked for
# Written by the intake or by mails on every fact, different in each: no condition is about them.
_OWN: Final = frozenset({"context", "claimed_at", "message_id", "messageId", "anonymous_id"})
# Every page about mails tells people from machines, also where no machine has been seen yet.
_ALWAYS: Final[Mapping[str, frozenset[str]]] = dict.fromkeys(("email_opened", "email_clicked"), frozenset({"machine"}))
_SCALAR: Final = frozenset({"text", "number", "boolean", "time"})
Handling = EventProperty.Handling


def wanted() -> dict[str, tuple[str, ...]]:
    """Event name → keys that its files should hold, in a stable order: declared ones first, then the event's own, then
    what stands around it; the frequent ones first (by the magnitude of their counts, so that small changes do not make
    others of them)."""
    found: dict[str, list[tuple[bool, bool, int, str]]] = {}
    rows = EventProperty.objects.exclude(handling__in=[Handling.DROP, Handling.SEAL])
    for name, key, declared, types, handling in rows.values_list("event__name", "key", "type", "types", "handling"):
        if key in _OWN or (handling != Handling.OPEN and telling(key)):
            continue
        if key in context.ADDRESSES and not declared:
            continue
        seen = sum(int(count) for kind, count in types.items() if kind in _SCALAR)
        if declared in _SCALAR or (not declared and seen):
            found.setdefault(name, []).append((not declared, key in context.KEYS, -seen.bit_length(), key))
    asked: dict[str, set[str]] = {}
    forbidden = denied()
    for name, key in HistoryProperty.objects.order_by("asked_at").values_list("name", "key"):
        if may_hold(forbidden, name, key):
            asked.setdefault(name, set()).add(key)
    for name, keys in _ALWAYS.items():
        asked.setdefault(name, set()).update(keys)
    names = found.keys() | asked.keys()
    return {
        name: tuple(sorted({key for *_, key in sorted(found.get(name, []))[:MOST_KEYS]} | asked.get(name, set())))
        for name in names
    }


def insisted() -> dict[str, set[str]]:
    """Keys that somebody declared or asked for, not only those that were seen often."""
    found = {name: set(keys) for name, keys in _ALWAYS.items()}
    for name, key in EventProperty.objects.exclude(type="").values_list("event__name", "key"):
        found.setdefault(name, set()).add(key)
    for name, key in HistoryProperty.objects.values_list("name", "key"):
        found.setdefault(name, set()).add(key)
    return found


def denied() -> dict[tuple[str, str], bool]:
    """What the plan decided about (name, key): True for sealed and dropped, False for expressly open."""
    rows = EventProperty.objects.exclude(handling=Handling.AUTO).values_list("event__name", "key", "handling")
    return {(name, key): handling != Handling.OPEN for name, key, handling in rows}


def may_hold(decided: Mapping[tuple[str, str], bool], name: str, key: str) -> bool:
    said = decided.get((name, key))
    return not telling(key) if said is None else not said


def ask_for(name: str, keys: Sequence[str]) -> int:
    """A question met a property that no file holds: the writer adds it in the background. Returns how many are new."""
    decided = denied()
    there = set(HistoryProperty.objects.filter(name=name).values_list("key", flat=True))
    room = MOST_ASKED - len(there)
    new = [key for key in dict.fromkeys(keys) if key not in there and may_hold(decided, name, key)][: max(0, room)]
    made: list[Any] = HistoryProperty.objects.bulk_create(
        [HistoryProperty(name=name, key=key) for key in new], ignore_conflicts=True
    )
    return len(made)
