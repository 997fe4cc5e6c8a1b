"""One call of the Segment protocol: what is wrong with it, and what it says. Pure; edge and lane use the same rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import orjson

from hongyan.events.names import canonical
from hongyan.ingest.intake import limits
from hongyan.ingest.quarantine import Trouble

TYPES: Final = frozenset({"identify", "track", "page", "screen", "group", "alias"})
_OBJECTS: Final = ("properties", "traits", "context")
_TIMES: Final = ("timestamp", "originalTimestamp", "sentAt")


@dataclass(frozen=True, slots=True)
class Call:
    """What a client said, read. occurred_at is corrected for the client's clock; claimed_at only where that put it into
    the future and the time of arrival was taken instead."""

    type: str
    user_id: str
    anonymous_id: str
    message_id: str
    name: str  # of the event, canonical; "" for identify, group and alias
    occurred_at: datetime
    claimed_at: datetime | None
    properties: dict[str, Any]
    traits: dict[str, Any]
    context: dict[str, Any]
    group_id: str
    previous_id: str


def fault(call: Any, kind: str, *, measure: bool = True) -> Trouble | None:
    """Why this call cannot be taken, or None. kind: the type its path says, "" when the call names it itself.

    measure False: the whole request is smaller than the limit of one call.
    """
    if not isinstance(call, dict):
        return Trouble("call_not_an_object")
    if measure and len(orjson.dumps(call)) > limits.CALL_BYTES:
        return Trouble("call_too_large")
    kind = kind or call.get("type", "")
    if not isinstance(kind, str) or kind not in TYPES:
        return Trouble("type_unknown", "/type")
    for name in _OBJECTS:
        value = call.get(name)
        if value is not None and not isinstance(value, dict):
            return Trouble("object_expected", f"/{name}")
    return _fault_of_ids(call, kind) or _fault_of_times(call) or _fault_of_shape(call)


def _fault_of_ids(call: dict[str, Any], kind: str) -> Trouble | None:
    for name in ("userId", "anonymousId", "messageId", "groupId", "previousId"):
        if (value := call.get(name)) is not None and (code := _fault_of_id(name, value)):
            return Trouble(code, f"/{name}")
    if kind == "alias":
        if not _text(call.get("previousId")) or not _text(call.get("userId")):
            return Trouble("alias_incomplete", "/previousId")
    elif not _text(call.get("userId")) and not _text(call.get("anonymousId")):
        return Trouble("nobody", "/userId")
    if kind == "group" and not _text(call.get("groupId")):
        return Trouble("group_missing", "/groupId")
    return _fault_of_name(call.get("event")) if kind == "track" else None


def _fault_of_id(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return "id_not_text"
    if len(str(value)) > (limits.USER_ID_LENGTH if name == "userId" else limits.ID_LENGTH):
        return "id_too_long"
    return "id_unprintable" if isinstance(value, str) and value and not value.isprintable() else ""


def _fault_of_name(name: Any) -> Trouble | None:
    if not isinstance(name, str) or not name.strip():
        return Trouble("event_missing", "/event")
    if len(name) > limits.NAME_LENGTH:
        return Trouble("event_too_long", "/event")
    if not name.isprintable():
        return Trouble("event_unprintable", "/event")
    return None


def _fault_of_times(call: dict[str, Any]) -> Trouble | None:
    for name in _TIMES:
        value = call.get(name)
        if value is None:
            continue
        at = moment(value)
        if at is None:
            return Trouble("time_unreadable", f"/{name}")
        if at < limits.OLDEST:
            return Trouble("time_too_old", f"/{name}")
    return None


def _fault_of_shape(call: dict[str, Any]) -> Trouble | None:
    """Level by level, so that depth costs nothing to know."""
    level: list[Any] = [call]
    seen = 0
    for _ in range(limits.DEPTH):
        below: list[Any] = []
        for holder in level:
            seen += len(holder)
            if type(holder) is dict:
                for key, value in holder.items():
                    if len(key) > limits.KEY_LENGTH:
                        return Trouble("key_too_long", "/" + key[:40])
                    if type(value) is dict or type(value) is list:
                        below.append(value)
            else:
                below += [value for value in holder if type(value) is dict or type(value) is list]
        if seen > limits.VALUES:
            return Trouble("too_many_values")
        if not below:
            return None
        level = below
    return Trouble("too_deep")


def read(call: dict[str, Any], kind: str, *, received_at: datetime, sent_at: Any = None) -> Call:
    """call: without ``fault``. sent_at: of the batch, where the call has none of its own."""
    kind = kind or call["type"]
    at, claimed = _occurred(call, received_at, sent_at)
    properties = dict(call.get("properties") or {})
    traits, context = dict(call.get("traits") or {}), dict(call.get("context") or {})
    if not traits and isinstance(context.get("traits"), dict):
        traits = context["traits"]  # of identify in older libraries
    return Call(
        type=kind,
        user_id=_text(call.get("userId")),
        anonymous_id=_text(call.get("anonymousId")),
        message_id=_text(call.get("messageId")),
        name=_name(call, kind, properties),
        occurred_at=at,
        claimed_at=claimed,
        properties=properties,
        traits=traits,
        context=context,
        group_id=_text(call.get("groupId")),
        previous_id=_text(call.get("previousId")),
    )


def _name(call: Mapping[str, Any], kind: str, properties: dict[str, Any]) -> str:
    if kind == "track":
        return canonical(call["event"])
    if kind in {"page", "screen"}:
        for key in ("name", "category"):
            if isinstance(call.get(key), str) and call[key]:
                properties.setdefault(key, call[key])
        return f"{kind}_viewed"
    return ""


def _occurred(call: Mapping[str, Any], received_at: datetime, sent_at: Any) -> tuple[datetime, datetime | None]:
    """When it happened by our clock: the client's clock may be wrong, but it is wrong by the same amount when it writes
    the time of the event and the time of sending (Segment's spec, "Clocking")."""
    claimed = moment(call.get("originalTimestamp")) or moment(call.get("timestamp"))
    if claimed is None:
        return received_at, None
    sent = moment(call.get("sentAt")) or moment(sent_at)
    at = claimed if sent is None else received_at - (sent - claimed)
    if at > received_at + limits.AHEAD:
        return received_at, claimed
    return max(min(at, received_at), limits.OLDEST), None


def moment(value: Any) -> datetime | None:
    """ISO 8601 text, or seconds or milliseconds since 1970; without a zone it is UTC. None: cannot be read."""
    if isinstance(value, str):
        return _iso(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value / 1000 if abs(value) > 1e11 else value)
    except OverflowError:
        return None


@lru_cache(maxsize=4_096)
def _iso(value: str) -> datetime | None:
    """A batch says one time of sending for all its calls, and many happen in the same millisecond."""
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        return None


def _text(value: Any) -> str:
    """Numbers are ids too; 7 and "7" are one."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None or isinstance(value, bool) else str(value)
