"""The JSON tree as text. ``read`` gives the same tree back: groups keep their nesting, values their types."""

import re
from typing import Any, Final

import orjson

from hongyan.audience.compiler.nodes import (
    All,
    AnyOf,
    ConsentIs,
    Did,
    Everyone,
    FieldIs,
    HasObject,
    HasTag,
    HasTagOfGroup,
    InAudience,
    Measured,
    Node,
    Not,
    OnList,
    Op,
    PropertyIs,
    Scalar,
    Sequence,
    Unit,
    Value,
    Window,
)
from hongyan.audience.compiler.parse import is_day, is_instant, parse

_NAME: Final = re.compile(r"[^\W\d]\w*((\[\])?\.\w+|-\w+)*")
# fmt: off
_WORDS: Final = frozenset({
    "or", "and", "not", "everyone", "all", "any", "tag", "tag_group", "list", "audience", "consent", "did", "where",
    "times", "time", "in", "from", "to", "contains", "starts", "with", "between", "before", "after", "last", "next",
    "is", "set", "true", "false",
})
# fmt: on
_UNITS: Final = {Unit.MINUTES: "min", Unit.HOURS: "h", Unit.DAYS: "d"}
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:\d\d|Z)")


def write(tree: Any) -> str:
    """Raises BadTree when the tree has not the shape of one."""
    return _text(parse(tree))


def _text(node: Node, *, inside: str = "") -> str:
    """inside: what the node is a direct part of; "and", "or", "not" or nothing."""
    match node:
        case All(items) | AnyOf(items):
            word = "and" if isinstance(node, All) else "or"
            if len(items) == 1:
                return f"{'all' if word == 'and' else 'any'}({_text(items[0])})"
            text = f" {word} ".join(_text(item, inside=word) for item in items)
            return f"({text})" if inside else text
        case Not(item):
            return f"not {_text(item, inside='not')}"
        case FieldIs(key, op, value) | PropertyIs(key, op, value):
            return f"{_name(key)} {_operation(op, value)}"
        case Did():
            return _did(node)
        case Measured():
            return _measured(node)
        case Sequence():
            return _sequence(node)
        case HasObject(key, op, count, where):
            return f"has({_quoted(key)}{_where(where)}){_count(op, count)}"
        case _:
            return _leaf(node)


def _leaf(node: Node) -> str:
    match node:
        case Everyone():
            return "everyone"
        case HasTag(key):
            return f"tag({_quoted(key)})"
        case HasTagOfGroup(key):
            return f"tag_group({_quoted(key)})"
        case OnList(public_id):
            return f"list({_quoted(public_id)})"
        case InAudience(public_id):
            return f"audience({_quoted(public_id)})"
        case ConsentIs(channel, topic, state):
            about = f", {_quoted(topic)}" if topic is not None else ""
            return f"consent({_quoted(channel)}{about}) = {_name(state) if _plain(state) else _quoted(state)}"
        case _:
            raise TypeError(type(node).__name__)


def _did(node: Did) -> str:
    return _happened(node.event, node.where) + _count(node.op, node.count) + _window(node.window)


def _happened(name: str, where: Node | None) -> str:
    return f"did({_quoted(name)}{_where(where)})"


def _where(where: Node | None) -> str:
    return "" if where is None else f", where {_text(where)}"


def _count(op: Op, count: int) -> str:
    return "" if (op, count) == (Op.GE, 1) else f" {op} {count}"


def _measured(node: Measured) -> str:
    about = "" if node.property is None else f", {_name(node.property)}"
    return (
        f"{node.measure}({_quoted(node.event)}{about}{_where(node.where)})"
        f" {_operation(node.op, node.value)}{_window(node.window)}"
    )


def _sequence(node: Sequence) -> str:
    first, *others = node.steps
    text = _happened(first.event, first.where) + _window(node.window)
    for step in others:
        within = "" if step.within is None else f" within {step.within.n}{_UNITS[step.within.unit]}"
        text += f" then {'not ' if step.absent else ''}{_happened(step.event, step.where)}{within}"
    return text


def _window(window: Window) -> str:
    if window.within_days is not None:
        return f" in {window.within_days}d"
    if window.within_hours is not None:
        return f" in {window.within_hours}h"
    if window.days_ago is not None:
        return f" between {window.days_ago[0]}d and {window.days_ago[1]}d ago"
    since = "" if window.since is None else f" from {_moment(window.since)}"
    return since + ("" if window.until is None else f" to {_moment(window.until)}")


def _operation(op: Op, value: Value) -> str:
    several = value if isinstance(value, tuple) else ()
    match op:
        case Op.IN | Op.NOT_IN:
            word = "in" if op is Op.IN else "not in"
            return f"{word} ({', '.join(_value(item) for item in several)})"
        case Op.BETWEEN:
            return f"between {_value(several[0])} and {_value(several[1])}"
        case Op.WITHIN_LAST_DAYS:
            return f"in last {value}d"
        case Op.WITHIN_NEXT_DAYS:
            return f"in next {value}d"
        case Op.IS_SET | Op.IS_NOT_SET:
            return op.replace("_", " ")
        case Op.STARTS_WITH:
            return f"starts with {_value(value)}"
        case _:
            return f"{op} {_value(value)}"


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _moment(value)
    if isinstance(value, float):
        text = repr(value)
        return text if set(text) & set(".e") else text + ".0"
    return str(value)


def _moment(text: str) -> str:
    """Dates stand as they are; everything else in quotation marks."""
    return text if is_day(text) or (_INSTANT.fullmatch(text) and is_instant(text)) else _quoted(text)


def _quoted(text: Scalar) -> str:
    return orjson.dumps(text).decode()


def _plain(key: str) -> bool:
    return bool(_NAME.fullmatch(key)) and key not in _WORDS


def _name(key: str) -> str:
    if _plain(key):
        return key
    return "`" + key.replace("`", "``") + "`"
