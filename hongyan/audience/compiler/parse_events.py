"""JSON to nodes: what people did, in which order, and what they have."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Protocol

from django.utils.translation import gettext as _

from hongyan.audience.compiler.nodes import (
    COUNT_OPS,
    EVER,
    MAX_COUNT,
    MAX_DAYS,
    MAX_HOURS,
    MAX_NODES,
    MAX_STEPS,
    MIN_STEPS,
    OF_TIMES,
    Did,
    HasObject,
    Measure,
    Measured,
    Node,
    Op,
    Sequence,
    Span,
    Step,
    Unit,
    Value,
    Window,
)
from hongyan.audience.types import Problem

_WINDOW_KEYS: Final = frozenset({"within_days", "within_hours", "from", "to", "days_ago"})
EVENT_KEYS: Final = _WINDOW_KEYS | {"event", "measure", "property", "op", "count", "value", "where"}
SEQUENCE_KEYS: Final = _WINDOW_KEYS | {"sequence"}
OBJECT_KEYS: Final = frozenset({"object", "op", "count", "where"})
_STEP_KEYS: Final = frozenset({"event", "not_event", "where", "within"})


class _Parser(Protocol):
    """What of ``parse.Parser`` is used here; it stands above this module."""

    problems: list[Problem]
    seen: int

    def wrong(self, path: str, code: str, message: str) -> None: ...
    def only(self, raw: Mapping[str, Any], allowed: frozenset[str], path: str) -> None: ...
    def node(self, raw: object, path: str, depth: int, *, inside: bool = False) -> Node | None: ...
    def text(self, raw: object, path: str) -> str | None: ...
    def whole(self, raw: object, path: str, low: int, high: int) -> int | None: ...
    def op(self, raw: object, path: str) -> Op | None: ...
    def value(self, raw: Mapping[str, Any], op: Op, path: str) -> tuple[bool, Value]: ...
    def moment(self, raw: object, path: str) -> str | None: ...


def event(parser: _Parser, raw: Mapping[str, Any], path: str, depth: int) -> Node | None:
    named = raw.get("measure", "count")
    if named == "count":
        return _did(parser, raw, path, depth)
    if not isinstance(named, str) or named not in set(Measure):
        parser.wrong(f"{path}/measure", "unknown_measure", _("This measure is not known."))
        return None
    return _measured(parser, Measure(named), raw, path, depth)


def _did(parser: _Parser, raw: Mapping[str, Any], path: str, depth: int) -> Node | None:
    before = len(parser.problems)
    parser.only(raw, EVENT_KEYS - {"property", "value"}, path)
    name = parser.text(raw["event"], f"{path}/event")
    counted = _count(parser, raw, path)
    within = window(parser, raw, path)
    where = _where(parser, raw, path, depth)
    if len(parser.problems) > before or name is None or counted is None:
        return None
    return Did(name, *counted, within, where, path)


def _measured(parser: _Parser, measure: Measure, raw: Mapping[str, Any], path: str, depth: int) -> Node | None:
    before = len(parser.problems)
    parser.only(raw, EVENT_KEYS - ({"count", "property"} if measure in OF_TIMES else {"count"}), path)
    name = parser.text(raw["event"], f"{path}/event")
    key = None if measure in OF_TIMES else _measured_property(parser, raw, path)
    op = parser.op(raw.get("op"), f"{path}/op")
    _good, value = parser.value(raw, op, path) if op else (False, None)
    within = window(parser, raw, path)
    where = _where(parser, raw, path, depth)
    if len(parser.problems) > before or name is None or op is None:
        return None
    return Measured(name, measure, key, op, value, within, where, path)


def _measured_property(parser: _Parser, raw: Mapping[str, Any], path: str) -> str | None:
    if "property" in raw:
        return parser.text(raw["property"], f"{path}/property")
    parser.wrong(f"{path}/property", "missing_value", _("Say of which property: its key follows the event."))
    return None


def has_object(parser: _Parser, raw: Mapping[str, Any], path: str, depth: int) -> Node | None:
    before = len(parser.problems)
    key = parser.text(raw["object"], f"{path}/object")
    counted = _count(parser, raw, path)
    where = _where(parser, raw, path, depth)
    if len(parser.problems) > before or key is None or counted is None:
        return None
    return HasObject(key, *counted, where, path)


def sequence(parser: _Parser, raw: Mapping[str, Any], path: str, depth: int) -> Node | None:
    before = len(parser.problems)
    at = f"{path}/sequence"
    given = raw["sequence"]
    if not isinstance(given, list) or not MIN_STEPS <= len(given) <= MAX_STEPS:
        message = _("A sequence has from %(low)d to %(high)d steps.") % {"low": MIN_STEPS, "high": MAX_STEPS}
        parser.wrong(at, "bad_steps", message)
        return None
    steps = [_step(parser, item, f"{at}/{place}", depth + 1) for place, item in enumerate(given)]
    _order(parser, given, at)
    within = window(parser, raw, path)
    if len(parser.problems) > before:
        return None
    return Sequence(tuple(step for step in steps if step is not None), within, path)


def _step(parser: _Parser, raw: object, path: str, depth: int) -> Step | None:
    parser.seen += 1  # counts as a part of the tree, of which there are at most MAX_NODES
    if parser.seen > MAX_NODES:
        parser.wrong(path, "too_many", _("There are more than %(n)d conditions.") % {"n": MAX_NODES})
        return None
    if not isinstance(raw, Mapping) or ("event" in raw) == ("not_event" in raw):
        parser.wrong(path, "bad_step", _("A step says either what happened or what did not."))
        return None
    parser.only(raw, _STEP_KEYS, path)
    absent = "not_event" in raw
    head = "not_event" if absent else "event"
    name = parser.text(raw[head], f"{path}/{head}")
    if absent and "within" not in raw:
        parser.wrong(path, "missing_within", _("Say within what time it did not happen."))
    within = span(parser, raw["within"], f"{path}/within") if "within" in raw else None
    where = _where(parser, raw, path, depth)
    return None if name is None else Step(name, where, within, absent, path)


def _order(parser: _Parser, given: list[Any], at: str) -> None:
    """What depends on a step's place."""
    for place, raw in enumerate(given):
        if not isinstance(raw, Mapping):
            continue
        if "not_event" in raw and place != len(given) - 1:
            message = _("Only the last step can say what did not happen.")
            parser.wrong(f"{at}/{place}/not_event", "not_last", message)
        if "within" in raw and place == 0:
            message = _("The first step follows nothing: its time is said for the whole sequence.")
            parser.wrong(f"{at}/{place}/within", "unneeded_within", message)


def span(parser: _Parser, raw: object, path: str) -> Span | None:
    if not isinstance(raw, Mapping) or len(raw) != 1 or next(iter(raw)) not in set(Unit):
        parser.wrong(path, "bad_span", _("A length of time is needed, in minutes, hours or days."))
        return None
    unit = Unit(next(iter(raw)))
    n = parser.whole(raw[unit], f"{path}/{unit}", 1, timedelta(days=MAX_DAYS) // Span(1, unit).delta)
    return None if n is None else Span(n, unit)


def window(parser: _Parser, raw: Mapping[str, Any], path: str) -> Window:
    """The whole time when nothing (or, besides a problem, something wrong) is said of it."""
    said = [key for key in raw if key in _WINDOW_KEYS]
    if len(said) > 1 and set(said) != {"from", "to"}:
        message = _("Say it in one way only: the last days or hours, days ago, or from and to.")
        relative = next(key for key in ("within_days", "within_hours", "days_ago") if key in raw)
        parser.wrong(f"{path}/{relative}", "two_windows", message)
    if not said:
        return EVER
    return Window(
        within_days=parser.whole(raw["within_days"], f"{path}/within_days", 1, MAX_DAYS)
        if "within_days" in raw
        else None,
        within_hours=parser.whole(raw["within_hours"], f"{path}/within_hours", 1, MAX_HOURS)
        if "within_hours" in raw
        else None,
        since=parser.moment(raw["from"], f"{path}/from") if "from" in raw else None,
        until=parser.moment(raw["to"], f"{path}/to") if "to" in raw else None,
        days_ago=_days_ago(parser, raw["days_ago"], f"{path}/days_ago") if "days_ago" in raw else None,
    )


def _days_ago(parser: _Parser, raw: object, path: str) -> tuple[int, int] | None:
    if not isinstance(raw, list) or len(raw) != 2:
        parser.wrong(path, "not_a_pair", _("Two numbers of days are needed: the older and the newer one."))
        return None
    older = parser.whole(raw[0], f"{path}/0", 1, MAX_DAYS)
    newer = parser.whole(raw[1], f"{path}/1", 0, MAX_DAYS)
    if older is None or newer is None:
        return None
    if older <= newer:
        parser.wrong(path, "wrong_order", _("The first number of days must be the greater one: it lies further back."))
        return None
    return older, newer


def _count(parser: _Parser, raw: Mapping[str, Any], path: str) -> tuple[Op, int] | None:
    op = parser.op(raw.get("op", ">="), f"{path}/op")
    if op is not None and op not in COUNT_OPS:
        parser.wrong(f"{path}/op", "unknown_operator", _("A count is compared with =, !=, >, >=, < or <=."))
    count = parser.whole(raw.get("count", 1), f"{path}/count", 0, MAX_COUNT)
    return None if op is None or count is None else (op, count)


def _where(parser: _Parser, raw: Mapping[str, Any], path: str, depth: int) -> Node | None:
    return parser.node(raw["where"], f"{path}/where", depth + 1, inside=True) if "where" in raw else None
