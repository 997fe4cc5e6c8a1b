"""Engagement of invented messages, and the slow obvious way to count it."""

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hongyan.analytics.types import Mark
from hongyan.events.names import EmailEvent
from hongyan.events.types import NewEvent

START = datetime(2026, 11, 2, 1, 50, tzinfo=UTC)
MACHINES = [None, None, None, "apple_privacy", "scanner", "no_agent"]


def engagement(seed: int, *, messages: int = 120, events: int = 900, origins: Sequence[int] = (1, 2)) -> list[NewEvent]:
    """Every message is sent once; opens, clicks and the rest follow at random, also repeatedly."""
    chance = random.Random(seed)
    made = [_event(EmailEvent.SENT, number, origins, chance, machine=None) for number in range(1, messages + 1)]
    names = [EmailEvent.OPENED] * 8 + [EmailEvent.CLICKED] * 5 + [EmailEvent.UNSUBSCRIBED, EmailEvent.COMPLAINED]
    for _ in range(events):
        name = chance.choice(names)
        machine = chance.choice(MACHINES) if name in {EmailEvent.OPENED, EmailEvent.CLICKED} else None
        made.append(_event(name, chance.randint(1, messages), origins, chance, machine=machine))
    made.append(NewEvent(1, "order_completed", START, "api", {"origin_kind": "campaign", "origin_id": origins[0]}))
    made.append(NewEvent(1, "email_opened", START, "edge", {"message_id": 1}))  # of no origin
    return made


def _event(
    name: EmailEvent, message_id: int, origins: Sequence[int], chance: random.Random, *, machine: str | None
) -> NewEvent:
    properties: dict[str, object] = {
        "origin_kind": "campaign",
        "origin_id": origins[message_id % len(origins)],
        "message_id": message_id,
        "machine": machine,
    }
    if name is EmailEvent.CLICKED:
        properties["link"] = chance.randint(0, 4)
    at = START + timedelta(minutes=chance.randint(0, 60 * 30))
    return NewEvent(1000 + message_id, name.value, at, "edge", properties)


def marks_of(event: NewEvent) -> set[tuple[Mark, int]]:  # a list of cases
    """What an event says of its message, in plain words."""
    machine = event.properties.get("machine")
    link = event.properties.get("link", -1)
    if event.name == EmailEvent.OPENED:
        if machine is None:
            return {(Mark.OPENED_PERSON, -1), (Mark.OPENED_NOT_MACHINE, -1), (Mark.OPENED_ANY, -1)}
        if machine == "no_agent":
            return {(Mark.OPENED_UNKNOWN, -1), (Mark.OPENED_NOT_MACHINE, -1), (Mark.OPENED_ANY, -1)}
        return {(Mark.OPENED_MACHINE, -1), (Mark.OPENED_ANY, -1)}
    if event.name == EmailEvent.CLICKED:
        if machine is not None:
            return {(Mark.CLICKED_MACHINE, -1), (Mark.CLICKED_MACHINE, link), (Mark.CLICKED_ANY, -1)}
        opened = {(Mark.OPENED_PERSON, -1), (Mark.OPENED_NOT_MACHINE, -1), (Mark.OPENED_ANY, -1)}
        return opened | {(Mark.CLICKED_PERSON, -1), (Mark.CLICKED_PERSON, link), (Mark.CLICKED_ANY, -1)}
    if event.name == EmailEvent.UNSUBSCRIBED:
        return {(Mark.UNSUBSCRIBED, -1)}
    if event.name == EmailEvent.COMPLAINED:
        return {(Mark.COMPLAINED, -1)}
    return {(Mark.SENT, -1)} if event.name == EmailEvent.SENT else set()


def brute_messages(events: Sequence[NewEvent]) -> dict[tuple[int, Mark, int], set[int]]:
    """(origin, mark, link) → the messages it holds for."""
    found: dict[tuple[int, Mark, int], set[int]] = defaultdict(set)
    for event in events:
        if "message_id" in event.properties and "origin_kind" in event.properties:
            for mark, link in marks_of(event):
                found[event.properties["origin_id"], mark, link].add(event.properties["message_id"])
    return found
