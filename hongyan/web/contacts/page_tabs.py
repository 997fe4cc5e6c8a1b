"""What stands under the tabs of a person's page: orders, objects, consent, identity and devices, copy and erase."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from hongyan.accounts.types import Actor
from hongyan.commerce.models import Order, OrderLine
from hongyan.contacts.consent import history_of, states_of
from hongyan.contacts.merging import ids_of
from hongyan.contacts.models import Contact, Identifier, MergedAway, ObjectType
from hongyan.contacts.objects_selectors import ObjectRow, objects_of_contact
from hongyan.contacts.objects_types import object_types
from hongyan.contacts.objects_values import fields_of
from hongyan.contacts.suppression import suppressions_of
from hongyan.contacts.topics import topic_name, topics
from hongyan.contacts.types import Channel, Identity
from hongyan.core.sql import statement
from hongyan.web.contacts import agents, object_words, words
from hongyan.web.contacts.common import language
from hongyan.web.contacts.timeline_events import money_text

# The person's own word stands until the person says otherwise; these came from us.
LIFTABLE = frozenset({"manual", "hard_bounce", "import"})
ORDERS = 100


@dataclass(frozen=True, slots=True)
class Holding:
    """What holds for one purpose. own: said for this topic itself rather than for the channel."""

    label: str
    state: str
    since: datetime | None
    own: bool = True


def orders(*, contact: Contact, **_unused: Any) -> dict[str, Any]:
    """The latest orders with the first things in each; what else there is stands with the order itself."""
    rows = list(Order.objects.filter(contact_id=contact.pk).order_by("-placed_at", "-id")[: ORDERS + 1])
    lines: dict[int, list[str]] = {}
    found = OrderLine.objects.filter(order_id__in=[row.pk for row in rows[:ORDERS]], place__lt=4).order_by("place")
    for line in found.only("order_id", "title", "sku", "quantity"):
        lines.setdefault(line.order_id, []).append(f"{line.quantity:g} × {line.title or line.sku}")
    return {
        "orders": [
            {
                "row": row,
                "total": money_text(row.total_minor, row.currency),
                "refunded": money_text(row.refunded_minor, row.currency) if row.refunded_minor else "",
                "lines": lines.get(row.pk, [])[:3],
                "rest": max(0, row.items - len(lines.get(row.pk, [])[:3])),
                "state": words.ORDER_STATES.get(row.state, row.state),
                "url": _url("commerce:order", row.public_id),
            }
            for row in rows[:ORDERS]
        ],
        "orders_more": len(rows) > ORDERS,
    }


def objects(*, actor: Actor, contact: Contact, **_unused: Any) -> dict[str, Any]:
    groups = objects_of_contact(actor=actor, contact_id=contact.pk)
    there = {kind.pk for kind, _rows in groups}
    return {
        "groups": [object_group(kind, rows) for kind, rows in groups],
        "other_types": [(kind, object_words.label_of(kind)) for kind in object_types() if kind.pk not in there],
    }


def object_group(kind: ObjectType, rows: list[ObjectRow]) -> dict[str, Any]:
    fields = [item for item in fields_of(kind) if item.key != kind.title_field]
    return {
        "kind": kind,
        "label": object_words.label_of(kind),
        "fields": [item.label(language()) for item in fields],
        "rows": [
            (
                object_words.named(kind, row),
                [(item.label(language()), object_words.value_text(item, row.values.get(item.key))) for item in fields],
            )
            for row in rows
        ],
    }


def consent(*, actor: Actor, contact: Contact, **_unused: Any) -> dict[str, Any]:
    known_topics = topics()
    names = {topic.key: topic_name(topic, language()) for topic in known_topics}
    return {
        "holdings": _holdings(states_of(actor=actor, contact_id=contact.pk), names),
        "history": [
            {
                "line": line,
                "channel": words.CHANNELS.get(line.channel, line.channel),
                "topic": names.get(line.topic_key or "", line.topic_key or ""),
                "action": words.ACTIONS.get(line.action, line.action),
                "method": words.METHODS.get(line.method, line.method),
            }
            for line in history_of(actor=actor, contact_id=contact.pk)[:100]
        ],
        "topics": [(topic.key, names[topic.key]) for topic in known_topics if topic.active],
        "channels": words.CHANNELS.items(),
        "suppressions": [
            {
                "row": item,
                "kind": words.KINDS.get(item.kind, item.kind),
                "reason": words.SUPPRESSIONS.get(item.reason, item.reason),
                "liftable": item.reason in LIFTABLE,
            }
            for item in suppressions_of(contact_id=contact.pk)
        ],
    }


def identity(*, contact: Contact, identity: Identity, **_unused: Any) -> dict[str, Any]:
    rows = Identifier.objects.filter(contact=contact).order_by("kind", "id").values_list("kind", "created_at")
    seen: set[str] = set()
    identifiers = []
    for kind, at in rows:
        # Identifiers are kept by blind index only; the value in use stands in the identity.
        shown = getattr(identity, kind, "") if kind not in seen else ""
        seen.add(kind)
        identifiers.append((words.KINDS.get(kind, kind), shown or _("kept as a fingerprint only"), bool(shown), at))
    merged = MergedAway.objects.filter(into_id=contact.pk).order_by("-at")
    return {
        "identifiers": identifiers,
        "source": words.source_name(contact.source),
        "merged": [(row.at, row.public_id) for row in merged],
        "merges_url": _url("identity:merges_of", contact.public_id),
        "devices": _devices(contact),
    }


def data(**_unused: Any) -> dict[str, Any]:
    return {"erase_word": _("erase")}


def _devices(contact: Contact) -> list[dict[str, Any]]:
    """From the user agents of the last thousands of events: what people see with, not what machines send."""
    found: dict[str, dict[str, Any]] = {}
    with connection.cursor() as cursor:
        for contact_id in ids_of(contact.pk)[:10]:
            cursor.execute(statement("hongyan.contacts", "timeline.sql", "devices"), {"contact_id": contact_id})
            for agent, first_at, last_at, times in cursor.fetchall():
                name, icon = agents.named(agent)
                held = found.setdefault(name, {"icon": icon, "first": first_at, "last": last_at, "times": 0})
                held["first"], held["last"] = min(held["first"], first_at), max(held["last"], last_at)
                held["times"] += times
    return [
        {"name": name, **held} for name, held in sorted(found.items(), key=lambda item: item[1]["last"], reverse=True)
    ]


def _holdings(states: Mapping[tuple[str, str | None], tuple[str, datetime]], names: Mapping[str, str]) -> list[Holding]:
    """E-mail as a whole, each topic, then tracking; a topic nobody spoke about follows the whole."""
    whole = states.get((Channel.EMAIL, None))
    lines = [Holding(_("E-mail as a whole"), whole[0] if whole else "none", whole[1] if whole else None)]
    for key, name in names.items():
        own = states.get((Channel.EMAIL, key))
        beaten = whole is not None and whole[0] == "withdrawn" and (own is None or own[1] <= whole[1])
        holding = whole if own is None or beaten else own
        state, since = holding if holding is not None else ("none", None)
        lines.append(Holding(name, state, since, own=own is not None and not beaten))
    for channel in (Channel.TRACKING_OPEN, Channel.TRACKING_CLICK):
        said = states.get((channel, None))
        lines.append(Holding(str(words.CHANNELS[channel]), said[0] if said else "none", said[1] if said else None))
    return lines


def _url(name: str, *args: Any) -> str:
    """A page of an area that may not be there."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
