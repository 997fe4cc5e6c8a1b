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
    Window,
)
from hongyan.audience.compiler.parse import is_day, is_instant, parse

_NAME: Final = re.compile(r"[^\W\d]\w*(\.\w+|-\w+)*")
# fmt: off
_WORDS: Final = frozenset({
    "or", "and", "not", "everyone", "all", "any", "tag", "tag_group", "list", "audience", "consent", "did", "where",
    "times", "time", "in", "from", "to", "contains", "starts", "with", "between", "before", "after", "last", "next",
    "is", "set", "true", "false",
})
# fmt: on
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
    where = f", where {_text(node.where)}" if node.where is not None else ""
    text = f"did({_quoted(node.event)}{where})"
    if (node.op, node.count) != (Op.GE, 1):
        text += f" {node.op} {node.count}"
    return text + _window(node.window)


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
