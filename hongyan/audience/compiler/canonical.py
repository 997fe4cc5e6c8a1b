"""One spelling for each definition: groups flat and sorted, defaults written out. Approvals bind to its SHA-256."""

import hashlib
from typing import Any

import orjson

from hongyan.audience.compiler.nodes import (
    WITH_LIST,
    WITHOUT_VALUE,
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
    Sequence,
    Step,
    Window,
)


def digest(node: Node) -> bytes:
    return hashlib.sha256(spelling(node).encode()).digest()


def spelling(node: Node) -> str:
    return orjson.dumps(canonical(node), option=orjson.OPT_SORT_KEYS).decode()


def canonical(node: Node) -> dict[str, Any]:
    match node:
        case All(items):
            return _group("all", items)
        case AnyOf(items):
            return _group("any", items)
        case Not(item):
            return {"not": canonical(item)}
        case _:
            return as_json(node)


def as_json(node: Node) -> dict[str, Any]:
    """The node as a person would write it, order kept."""
    match node:
        case Everyone():
            return {"everyone": True}
        case All(items):
            return {"all": [as_json(item) for item in items]}
        case AnyOf(items):
            return {"any": [as_json(item) for item in items]}
        case Not(item):
            return {"not": as_json(item)}
        case FieldIs(key, op, value):
            return _comparison("field", key, op, value)
        case PropertyIs(key, op, value):
            return _comparison("property", key, op, value)
        case HasTag(key):
            return {"tag": key}
        case HasTagOfGroup(key):
            return {"tag_group": key}
        case OnList(public_id):
            return {"list": public_id}
        case InAudience(public_id):
            return {"audience": public_id}
        case ConsentIs(channel, topic, state):
            return {"consent": {"channel": channel, **({"topic": topic} if topic else {}), "state": state}}
        case Did():
            counted = {"op": node.op.value, "count": node.count}
            return {"event": node.event, **counted, **_window(node.window), **_where(node.where)}
        case Measured():
            return _measured(node)
        case Sequence(steps, window):
            return {"sequence": [_step(step) for step in steps], **_window(window)}
        case HasObject(key, op, count, where):
            return {"object": key, "op": op.value, "count": count, **_where(where)}


def _comparison(head: str, key: str, op: Op, value: Any) -> dict[str, Any]:
    if op in WITHOUT_VALUE:
        return {head: key, "op": op.value}
    if op in WITH_LIST:
        value = sorted(set(value), key=lambda item: (str(type(item)), item))
    return {head: key, "op": op.value, "value": list(value) if isinstance(value, tuple) else value}


def _measured(node: Measured) -> dict[str, Any]:
    compared = _comparison("event", node.event, node.op, node.value)
    about = {} if node.property is None else {"property": node.property}
    return {**compared, "measure": node.measure.value, **about, **_window(node.window), **_where(node.where)}


def _step(step: Step) -> dict[str, Any]:
    within = {} if step.within is None else {"within": {step.within.unit.value: step.within.n}}
    return {"not_event" if step.absent else "event": step.event, **_where(step.where), **within}


def _window(window: Window) -> dict[str, Any]:
    said = {
        "within_days": window.within_days,
        "within_hours": window.within_hours,
        "from": window.since,
        "to": window.until,
        "days_ago": None if window.days_ago is None else list(window.days_ago),
    }
    return {key: value for key, value in said.items() if value is not None}


def _where(where: Node | None) -> dict[str, Any]:
    return {} if where is None else {"where": canonical(where)}


def _group(head: str, items: tuple[Node, ...]) -> dict[str, Any]:
    """Order and repetition do not count, nor groups of one, nor groups of the same kind inside."""
    parts: dict[bytes, dict[str, Any]] = {}
    for item in map(canonical, items):
        for part in item[head] if set(item) == {head} else [item]:
            parts[orjson.dumps(part, option=orjson.OPT_SORT_KEYS)] = part
    if len(parts) == 1:
        return next(iter(parts.values()))
    return {head: [parts[key] for key in sorted(parts)]}
