"""JSON to nodes. Shape only: whether a field exists and what type it has is for ``check``."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from hongyan.audience.compiler import parse_events as events
from hongyan.audience.compiler.nodes import (
    MAX_DEPTH,
    MAX_NODES,
    All,
    AnyOf,
    ConsentIs,
    Everyone,
    FieldIs,
    HasTag,
    HasTagOfGroup,
    InAudience,
    Node,
    Not,
    OnList,
    PropertyIs,
)
from hongyan.audience.compiler.shape import Shapes, is_day, is_instant
from hongyan.audience.errors import BadTree

__all__ = ["Parser", "is_day", "is_instant", "parse"]
Reader = Callable[["Parser", Mapping[str, Any], str, int], Node | None]


def parse(tree: object) -> Node:
    """Raises BadTree with every problem of shape found."""
    parser = Parser()
    node = parser.node(tree, "", 1)
    if parser.problems or node is None:
        raise BadTree(parser.problems)
    return node


class Parser(Shapes):
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
        self.only(raw, allowed, path)
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


def _everyone(parser: Parser, raw: Mapping[str, Any], path: str, _depth: int) -> Node | None:
    if raw["everyone"] is not True:
        parser.wrong(f"{path}/everyone", "bad_value", _("“Everyone” can only be true."))
        return None
    return Everyone(path)


def _group(kind: type[All] | type[AnyOf], key: str, *, inside: bool) -> Reader:
    def read(parser: Parser, raw: Mapping[str, Any], path: str, depth: int) -> Node | None:
        items = parser.items(raw[key], f"{path}/{key}", depth, inside=inside)
        return None if items is None else kind(items, path)

    return read


def _negation(*, inside: bool) -> Reader:
    def read(parser: Parser, raw: Mapping[str, Any], path: str, depth: int) -> Node | None:
        item = parser.node(raw["not"], f"{path}/not", depth + 1, inside=inside)
        return None if item is None else Not(item, path)

    return read


def _comparison(kind: type[FieldIs] | type[PropertyIs], key: str) -> Reader:
    def read(parser: Parser, raw: Mapping[str, Any], path: str, _depth: int) -> Node | None:
        name = parser.text(raw[key], f"{path}/{key}")
        op = parser.op(raw.get("op"), f"{path}/op")
        if op is None:
            return None
        good, value = parser.value(raw, op, path)
        return None if name is None or not good else kind(name, op, value, path)

    return read


def _named(kind: type[HasTag] | type[HasTagOfGroup] | type[OnList] | type[InAudience], key: str) -> Reader:
    def read(parser: Parser, raw: Mapping[str, Any], path: str, _depth: int) -> Node | None:
        name = parser.text(raw[key], f"{path}/{key}")
        return None if name is None else kind(name, path)

    return read


def _consent(parser: Parser, raw: Mapping[str, Any], path: str, _depth: int) -> Node | None:
    at = f"{path}/consent"
    body = raw["consent"]
    if not isinstance(body, Mapping):
        parser.wrong(at, "missing_value", _("Something must be chosen here."))
        return None
    parser.only(body, {"channel", "topic", "state"}, at)
    channel = parser.text(body.get("channel"), f"{at}/channel")
    state = parser.text(body.get("state"), f"{at}/state")
    topic = None if body.get("topic") is None else parser.text(body["topic"], f"{at}/topic")
    if channel is None or state is None or (topic is None and body.get("topic") is not None):
        return None
    return ConsentIs(channel, topic, state, path)


_HEADS: Mapping[str, tuple[frozenset[str], Reader]] = {
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
    "event": (events.EVENT_KEYS, events.event),
    "sequence": (events.SEQUENCE_KEYS, events.sequence),
    "object": (events.OBJECT_KEYS, events.has_object),
}
_INSIDE: Mapping[str, tuple[frozenset[str], Reader]] = {
    "all": (frozenset({"all"}), _group(All, "all", inside=True)),
    "any": (frozenset({"any"}), _group(AnyOf, "any", inside=True)),
    "not": (frozenset({"not"}), _negation(inside=True)),
    "property": (frozenset({"property", "op", "value"}), _comparison(PropertyIs, "property")),
}
