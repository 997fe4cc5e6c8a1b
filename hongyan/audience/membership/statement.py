"""The statement that says which of some contacts an audience means, made once and asked again at other times.

Making it takes milliseconds and asking it microseconds, so what depends on now is found out by making it at two times:
values that differ move with the clock.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.compiler.emit import emit_among
from hongyan.audience.compiler.nodes import Did, Measured, Node, Sequence, walk
from hongyan.audience.compiler.shape import is_day
from hongyan.audience.compiler.times import today
from hongyan.audience.compiler.written import instant, wall

_NAMES: Final = re.compile(r"%\((\w+)\)s")
_TABLES: Final = re.compile(r"\b(?:events_event|contacts_contact)\b")
# Different day, hour, minute and fraction, so that nothing that depends on now looks the same by chance. Long before
# and long after every day that a condition may name as the last that counts: up to that day the end of such a window is
# now, and the day from then on.
_EARLY: Final = (datetime(1501, 2, 3, 4, 5, 6, 700, tzinfo=UTC), datetime(1513, 11, 24, 19, 38, 41, 1234, tzinfo=UTC))
_LATE: Final = (datetime(7001, 2, 3, 4, 5, 6, 700, tzinfo=UTC), datetime(7013, 11, 24, 19, 38, 41, 1234, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Instant:
    """Now and so much, but not after ``cap``; as a time or as the text that attributes hold."""

    after: timedelta
    as_text: bool
    cap: datetime | None = None

    def at(self, now: datetime, _zone: ZoneInfo) -> Any:
        value = now + self.after
        if self.cap is not None:
            value = min(value, self.cap)
        return value.astimezone(UTC).isoformat() if self.as_text else value


@dataclass(frozen=True, slots=True)
class Day:
    """Today and so many days, as text."""

    after: int

    def at(self, now: datetime, zone: ZoneInfo) -> Any:
        return (today(now, zone) + timedelta(days=self.after)).isoformat()


@dataclass(frozen=True, slots=True)
class Wall:
    """What clocks show now and so much, as ``written.wall`` says it."""

    after: timedelta

    def at(self, now: datetime, zone: ZoneInfo) -> Any:
        return wall(now + self.after, zone)


Moving = Instant | Day | Wall


@dataclass(frozen=True, slots=True)
class Among:
    """``text`` reads the batch's own tables (``member_contacts``, ``member_events``) in place of the real ones; the
    contacts asked about are bound as ``<prefix>ids``."""

    text: str
    fixed: Mapping[str, Any]
    moving: Mapping[str, Moving]
    zone: ZoneInfo

    def params(self, now: datetime) -> dict[str, Any]:
        return {**self.fixed, **{name: value.at(now, self.zone) for name, value in self.moving.items()}}


def among(node: Node, catalogue: Catalogue, *, prefix: str) -> Among:
    """node: as ``rewrite`` leaves it. prefix: put before the names of parameters, so that statements can be joined.
    Raises ValueError for a definition whose values follow the clock in a way that is not known."""

    def params_at(now: datetime) -> dict[str, Any]:
        return dict(emit_among(node, catalogue, now=now, contact_ids=()).params)

    zone, ends = catalogue.zone, _ends(node)
    first = emit_among(node, catalogue, now=_EARLY[0], contact_ids=())
    second = params_at(_EARLY[1])
    late = [params_at(now) for now in _LATE] if ends else []
    fixed, moving = dict[str, Any](), dict[str, Moving]()
    for name, value in first.params.items():
        if name == "ids":
            continue
        if value == second[name]:
            fixed[prefix + name] = value
        else:
            cap = late[0][name] if late and late[0][name] == late[1][name] else None
            moving[prefix + name] = _moving(value, zone, cap)
    text = _TABLES.sub(_own, _NAMES.sub(rf"%({prefix}\1)s", first.text))
    made = Among(text, fixed, moving, zone)
    for now, actual in zip((_EARLY[1], *_LATE), (second, *late), strict=False):
        again = made.params(now)
        if any(again[prefix + name] != value for name, value in actual.items() if name != "ids"):
            raise ValueError("how the values of this definition follow the clock is not known")
    return made


def _ends(node: Node) -> bool:
    """Whether some window ends on a given day."""
    return any(isinstance(part, Did | Measured | Sequence) and part.window.until is not None for part in walk(node))


def _own(found: re.Match[str]) -> str:
    return "member_events" if found[0] == "events_event" else "member_contacts"


def _moving(value: Any, zone: ZoneInfo, cap: datetime | None) -> Moving:
    if isinstance(value, datetime) and value.tzinfo is None:
        return Wall(instant(value, zone).replace(tzinfo=UTC) - _EARLY[0])
    if isinstance(value, datetime):
        return Instant(value - _EARLY[0], as_text=False, cap=cap)
    if is_day(str(value)):
        return Day((date.fromisoformat(str(value)) - today(_EARLY[0], zone)).days)
    return Instant(datetime.fromisoformat(value) - _EARLY[0], as_text=True)
