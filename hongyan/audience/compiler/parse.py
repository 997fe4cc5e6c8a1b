"""JSON to nodes. Shape only: whether a field exists and what type it has is for ``check``."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from hongyan.audience.compiler.nodes import (
    COUNT_OPS,
    MAX_COUNT,
    MAX_DAYS,
    MAX_DEPTH,
    MAX_NODES,
    MAX_TEXT,
    MAX_VALUES,
    WITH_DAYS,
    WITH_LIST,
    WITH_PAIR,
    WITHOUT_VALUE,
    All,
    AnyOf,
    ConsentIs,
    Did,
    Everyone,
    FieldIs,
    HasTag,
    HasTagOfGroup,
    InAudience,
    Node,
    Not,
    OnList,
    Op,
    PropertyIs,
    Scalar,
    Value,
)
from hongyan.audience.errors import BadTree
from hongyan.audience.types import Problem

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_Reader = Callable[["_Parser", Mapping[str, Any], str, int], Node | None]


def parse(tree: object) -> Node:
    """Raises BadTree with every problem of shape found."""
    parser = _Parser()
    node = parser.node(tree, "", 1)
    if parser.problems or node is None:
        raise BadTree(parser.problems)
    return node


def is_day(text: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_instant(text: str) -> bool:
    """An ISO 8601 time that says its offset from UTC."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


class _Parser:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.seen = 0

    def wrong(self, path: str, code: str, message: str) -> None:
        self.problems.append(Problem(path, code, message))

    def node(self, raw: object, path: str, depth: int, *, inside: bool = False) -> Node | None:
        """``inside`` an event's ``where``, only properties and and/or/not may stand."""
        self.seen += 1
        if depth > MAX_DEPTH:
            self.wrong(path, "too_deep", _("Conditions are nested more than %(n)d deep.") % {"n": MAX_DEPTH})
            return None
        if self.seen > MAX_NODES:
            if self.seen == MAX_NODES + 1:
                self.wrong(path, "too_many", _("There are more than %(n)d conditions.") % {"n": MAX_NODES})
            return None
        if not isinstance(raw, Mapping):
            self.wrong(path, "not_a_condition", _("A condition is missing here."))
            return None
        readers = _INSIDE if inside else _HEADS
        heads = [key for key in raw if key in readers]
        if len(heads) != 1:
            if not heads and raw:
                self.wrong(path, "unknown_condition", _("This kind of condition is not known."))
                return None
            code, message = (
                ("several_conditions", _("Several conditions stand where one belongs."))
                if heads
                else ("not_a_condition", _("A condition is missing here."))
            )
            self.wrong(path, code, message)
            return None
        allowed, reader = readers[heads[0]]
        for key in raw:
            if key not in allowed:
                self.wrong(
                    f"{path}/{_escape(key)}", "unknown_key", _("“%(key)s” does not belong here.") % {"key": _short(key)}
                )
        return reader(self, raw, path, depth)

    def items(self, raw: object, path: str, depth: int, *, inside: bool) -> tuple[Node, ...] | None:
        if not isinstance(raw, list) or not raw:
            self.wrong(path, "empty_group", _("A group needs at least one condition."))
            return None
        nodes = [
            self.node(item, f"{path}/{index}", depth + 1, inside=inside)
            for index, item in enumerate(raw[: MAX_NODES + 1])
        ]
        return tuple(node for node in nodes if node is not None) if all(nodes) else None

    def text(self, raw: object, path: str) -> str | None:
        if not isinstance(raw, str) or not raw.strip():
            self.wrong(path, "missing_value", _("Something must be chosen here."))
            return None
        return self.plain(raw, path)

    def plain(self, raw: str, path: str) -> str | None:
        if len(raw) > MAX_TEXT:
            self.wrong(path, "too_long", _("The text is longer than %(n)d characters.") % {"n": MAX_TEXT})
            return None
        if "\x00" in raw or any(0xD800 <= ord(letter) <= 0xDFFF for letter in raw):
            self.wrong(path, "bad_text", _("The text holds a character that cannot be stored."))
            return None
        return raw

    def whole(self, raw: object, path: str, low: int, high: int) -> int | None:
        if isinstance(raw, bool) or not isinstance(raw, int) or not low <= raw <= high:
            message = _("A whole number from %(low)d to %(high)d is needed.") % {"low": low, "high": high}
            self.wrong(path, "bad_number", message)
            return None
        return raw

    def op(self, raw: object, path: str) -> Op | None:
        if raw is None:
            self.wrong(path, "missing_operator", _("The comparison is missing."))
            return None
        if not isinstance(raw, str) or raw not in set(Op):
            self.wrong(path, "unknown_operator", _("This comparison is not known."))
            return None
        return Op(raw)

    def scalar(self, raw: object, path: str) -> Scalar | None:
        if isinstance(raw, str):
            if not raw:
                self.wrong(path, "missing_value", _("A value is missing."))
                return None
            return self.plain(raw, path)
        if isinstance(raw, bool):
            return raw
        # Beyond 2**53 a browser has already rounded the number; numeric columns end long before.
        if isinstance(raw, int | float) and abs(raw) <= 2**53:  # false for NaN too
            return raw
        if raw is None:
            self.wrong(path, "missing_value", _("A value is missing."))
            return None
        self.wrong(path, "bad_value", _("This value cannot be used here."))
        return None

    def value(self, raw: Mapping[str, Any], op: Op, path: str) -> tuple[bool, Value]:
        """(good, value); the number and kind of values is what the operator asks for."""
        at = f"{path}/value"
        if op in WITHOUT_VALUE:
            if "value" in raw:
                self.wrong(at, "unneeded_value", _("This comparison takes no value."))
            return "value" not in raw, None
        given = raw.get("value")
        if op in WITH_DAYS:
            days = self.whole(given, at, 1, MAX_DAYS)
            return days is not None, days
        if op not in WITH_LIST | WITH_PAIR:
            one = self.scalar(given, at)
            return one is not None, one
        if not isinstance(given, list) or not given:
            self.wrong(at, "missing_value", _("A list of values is missing."))
            return False, None
        if op in WITH_PAIR and len(given) != 2:
            self.wrong(at, "not_a_pair", _("Two values are needed: from and to."))
            return False, None
        if len(given) > MAX_VALUES:
            self.wrong(at, "too_many", _("There are more than %(n)d values.") % {"n": MAX_VALUES})
            return False, None
        several = [self.scalar(item, f"{at}/{index}") for index, item in enumerate(given)]
        return all(item is not None for item in several), tuple(item for item in several if item is not None)

    def moment(self, raw: object, path: str) -> str | None:
        if isinstance(raw, str) and (is_day(raw) or is_instant(raw)):
            return raw
        self.wrong(path, "bad_time", _("A date such as 2026-01-31 is needed."))
        return None


def _everyone(parser: _Parser, raw: Mapping[str, Any], path: str, _depth: int) -> Node | None:
    if raw["everyone"] is not True:
        parser.wrong(f"{path}/everyone", "bad_value", _("“Everyone” can only be true."))
        return None
    return Everyone(path)


def _group(kind: type[All] | type[AnyOf], key: str, *, inside: bool) -> _Reader:
    def read(parser: _Parser, raw: Mapping[str, Any], path: str, depth: int) -> Node | None:
        items = parser.items(raw[key], f"{path}/{key}", depth, inside=inside)
        return None if items is None else kind(items, path)

    return read


def _negation(*, inside: bool) -> _Reader:
    def read(parser: _Parser, raw: Mapping[str, Any], path: str, depth: int) -> Node | None:
        item = parser.node(raw["not"], f"{path}/not", depth + 1, inside=inside)
        return None if item is None else Not(item, path)

    return read


def _comparison(kind: type[FieldIs] | type[PropertyIs], key: str) -> _Reader:
    def read(parser: _Parser, raw: Mapping[str, Any], path: str, _depth: int) -> Node | None:
        name = parser.text(raw[key], f"{path}/{key}")
        op = parser.op(raw.get("op"), f"{path}/op")
        if op is None:
            return None
        good, value = parser.value(raw, op, path)
        return None if name is None or not good else kind(name, op, value, path)

    return read


def _named(kind: type[HasTag] | type[HasTagOfGroup] | type[OnList] | type[InAudience], key: str) -> _Reader:
    def read(parser: _Parser, raw: Mapping[str, Any], path: str, _depth: int) -> Node | None:
        name = parser.text(raw[key], f"{path}/{key}")
        return None if name is None else kind(name, path)

    return read


def _consent(parser: _Parser, raw: Mapping[str, Any], path: str, _depth: int) -> Node | None:
    at = f"{path}/consent"
    body = raw["consent"]
    if not isinstance(body, Mapping):
        parser.wrong(at, "missing_value", _("Something must be chosen here."))
        return None
    for key in body:
        if key not in {"channel", "topic", "state"}:
            parser.wrong(
                f"{at}/{_escape(key)}", "unknown_key", _("“%(key)s” does not belong here.") % {"key": _short(key)}
            )
    channel = parser.text(body.get("channel"), f"{at}/channel")
    state = parser.text(body.get("state"), f"{at}/state")
    topic = None if body.get("topic") is None else parser.text(body["topic"], f"{at}/topic")
    if channel is None or state is None or (topic is None and body.get("topic") is not None):
        return None
    return ConsentIs(channel, topic, state, path)


def _did(parser: _Parser, raw: Mapping[str, Any], path: str, depth: int) -> Node | None:
    before = len(parser.problems)
    event = parser.text(raw["event"], f"{path}/event")
    op = parser.op(raw.get("op", ">="), f"{path}/op")
    if op is not None and op not in COUNT_OPS:
        parser.wrong(f"{path}/op", "unknown_operator", _("A count is compared with =, !=, >, >=, < or <=."))
    count = parser.whole(raw.get("count", 1), f"{path}/count", 0, MAX_COUNT)
    days = parser.whole(raw["within_days"], f"{path}/within_days", 1, MAX_DAYS) if "within_days" in raw else None
    since = parser.moment(raw["from"], f"{path}/from") if "from" in raw else None
    until = parser.moment(raw["to"], f"{path}/to") if "to" in raw else None
    if "within_days" in raw and ("from" in raw or "to" in raw):
        message = _("Say either the last days or from and to, not both.")
        parser.wrong(f"{path}/within_days", "two_windows", message)
    where = parser.node(raw["where"], f"{path}/where", depth + 1, inside=True) if "where" in raw else None
    if len(parser.problems) > before or event is None or op is None or count is None:
        return None
    return Did(event, op, count, days, since, until, where, path)


def _escape(key: object) -> str:
    return _short(key).replace("~", "~0").replace("/", "~1")


def _short(key: object) -> str:
    return str(key)[:60]


_HEADS: Mapping[str, tuple[frozenset[str], _Reader]] = {
    "everyone": (frozenset({"everyone"}), _everyone),
    "all": (frozenset({"all"}), _group(All, "all", inside=False)),
    "any": (frozenset({"any"}), _group(AnyOf, "any", inside=False)),
    "not": (frozenset({"not"}), _negation(inside=False)),
    "field": (frozenset({"field", "op", "value"}), _comparison(FieldIs, "field")),
    "tag": (frozenset({"tag"}), _named(HasTag, "tag")),
    "tag_group": (frozenset({"tag_group"}), _named(HasTagOfGroup, "tag_group")),
    "list": (frozenset({"list"}), _named(OnList, "list")),
    "consent": (frozenset({"consent"}), _consent),
    "audience": (frozenset({"audience"}), _named(InAudience, "audience")),
    "event": (frozenset({"event", "op", "count", "within_days", "from", "to", "where"}), _did),
}
_INSIDE: Mapping[str, tuple[frozenset[str], _Reader]] = {
    "all": (frozenset({"all"}), _group(All, "all", inside=True)),
    "any": (frozenset({"any"}), _group(AnyOf, "any", inside=True)),
    "not": (frozenset({"not"}), _negation(inside=True)),
    "property": (frozenset({"property", "op", "value"}), _comparison(PropertyIs, "property")),
}
