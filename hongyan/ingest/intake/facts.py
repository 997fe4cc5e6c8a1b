"""Calls as facts: names, times, properties without what must not lie in the open, a little of the context."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hongyan.events import sensitive
from hongyan.events.tracked import append_tracked
from hongyan.events.types import NewEvent
from hongyan.ingest.intake.work import Item

ANONYMOUS_TRAITS: Final = "traits_noted"  # identify of somebody without any key: kept as what it is, a fact
# Of the context only what conditions and reports use. Addresses of the network, agents and traits stay out.
_CONTEXT: Final[Mapping[str, tuple[str, ...]]] = {
    "page": ("url", "path", "referrer", "title", "search"),
    "campaign": ("name", "source", "medium", "term", "content"),
    "library": ("name",),
    "app": ("name", "version"),
    "device": ("type",),
    "os": ("name",),
}
_PLAIN_CONTEXT: Final = ("locale", "timezone")


def record(items: Sequence[Item]) -> dict[int, int]:
    """Append what these calls say happened. Returns, by write key, how many were repeats."""
    by_sender: dict[int, list[Item]] = {}
    for item in items:
        if not item.dropped and name_of(item):
            by_sender.setdefault(item.sender.id, []).append(item)
    rules, repeats = sensitive.rules(), dict[int, int]()
    for sender_id, group in by_sender.items():
        facts = [fact(item, rules) for item in group]
        new = append_tracked(facts, [item.visitor if item.contact_id is None else None for item in group])
        repeats[sender_id] = len(group) - new
    return repeats


def name_of(item: Item) -> str:
    if item.call.name:
        return item.call.name
    if item.call.type == "identify" and item.contact_id is None and item.call.traits:
        return ANONYMOUS_TRAITS
    return ""


def fact(item: Item, rules: sensitive.Rules) -> NewEvent:
    call, name = item.call, name_of(item)
    properties = sensitive.cleaned(call.traits if name == ANONYMOUS_TRAITS else call.properties, rules.get(name, {}))
    if context := _context(call.context, with_page=call.type != "page"):
        properties.setdefault("context", context)
    if call.claimed_at is not None:
        properties["claimed_at"] = call.claimed_at.isoformat()
    return NewEvent(
        contact_id=item.contact_id,
        name=name,
        occurred_at=call.occurred_at,
        source=item.sender.key,
        properties=properties,
        dedupe_key=None if item.claimed else call.message_id or None,
        received_at=item.received_at,
    )


def _context(context: Mapping[str, Any], *, with_page: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part, inner in context.items():
        names = _CONTEXT.get(part)
        if names is None or not isinstance(inner, dict) or (part == "page" and not with_page):
            continue
        kept = {name: value for name in names if isinstance(value := inner.get(name), str) and value}
        if kept:
            found[part] = sensitive.cleaned(kept, {})
    for name in _PLAIN_CONTEXT:
        if isinstance(value := context.get(name), str) and value:
            found[name] = value
    return found
