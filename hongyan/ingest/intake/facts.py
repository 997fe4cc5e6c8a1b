"""Calls as facts: names, times, properties without what must not lie in the open, and what stands around them."""

from collections.abc import Sequence
from typing import Final

from hongyan.events import context, sensitive
from hongyan.events.tracked import append_tracked
from hongyan.events.types import NewEvent
from hongyan.ingest.intake.work import Item

ANONYMOUS_TRAITS: Final = "traits_noted"  # identify of somebody without any key: kept as what it is, a fact


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
    said = call.traits if name == ANONYMOUS_TRAITS else call.properties
    if call.context:
        said = said | {
            key: text
            for key, text in context.spread(call.context, of_page=call.type == "page").items()
            if key not in said
        }
    properties = sensitive.cleaned(said, rules.get(name, {}))
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
