"""One person on a page: what is known and why, what may be sent, what happened."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from hongyan.accounts.permissions import Permission
from hongyan.audience.models import ContactList
from hongyan.audience.selectors import lists_of_contact, tag_tree, tags_of_contacts
from hongyan.contacts.consent import history_of, states_of
from hongyan.contacts.fields import definitions
from hongyan.contacts.listing import contact_rows, display_name
from hongyan.contacts.models import Contact, FieldDefinition, Identifier
from hongyan.contacts.selectors import provenance_of
from hongyan.contacts.suppression import suppressions_of
from hongyan.contacts.topics import topic_name, topics
from hongyan.contacts.types import Channel, Identity, Provenance
from hongyan.web.contacts import words
from hongyan.web.contacts.common import actor_of, contact_or_404, language
from hongyan.web.contacts.timeline import mails_of, timeline_page

# The person's own word stands until the person says otherwise; these came from us.
LIFTABLE = frozenset({"manual", "hard_bounce", "import"})


@dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str
    source: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Holding:
    """What holds for one purpose. own: said for this topic itself rather than for the channel."""

    label: str
    state: str
    since: datetime | None
    own: bool = True


@require_safe
def contact(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    found, identity = contact_or_404(request, public_id, audit=True)
    custom = {definition.key: definition for definition in definitions()}
    states = states_of(actor=actor, contact_id=found.pk)
    row = contact_rows(actor=actor, contact_ids=[found.pk])[0]
    known_topics = topics()
    names = {topic.key: topic_name(topic, language()) for topic in known_topics}
    held = tags_of_contacts(actor=actor, contact_ids=[found.pk])[found.pk]
    on_lists = lists_of_contact(actor=actor, contact_id=found.pk)
    items, more = timeline_page(actor=actor, contact_id=found.pk, before=_before(request))
    clear = actor.may(Permission.CONTACT_IDENTITY)
    context = {
        "contact": found,
        "row": row,
        "title": display_name(identity) or identity.email or identity.phone or _("Without a name"),
        "identity": identity,
        "masked": not clear,
        "country": words.country_name(found.country),
        "source": words.source_name(found.source),
        "facts": _facts(found, identity, custom),
        "tags": [(tag.key, words.tag_name(tag), tag.colour) for tag in held],
        "tag_choices": _tag_choices(request, {tag.pk for tag in held}),
        "lists": on_lists,
        "list_choices": [item for item in ContactList.objects.order_by("name") if item not in on_lists],
        "holdings": _holdings(states, names),
        "history": [
            {
                "line": line,
                "channel": words.CHANNELS.get(line.channel, line.channel),
                "topic": names.get(line.topic_key or "", line.topic_key or ""),
                "action": words.ACTIONS.get(line.action, line.action),
                "method": words.METHODS.get(line.method, line.method),
            }
            for line in history_of(actor=actor, contact_id=found.pk)[:50]
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
            for item in suppressions_of(contact_id=found.pk)
        ],
        "identifiers": [
            (words.KINDS.get(kind, kind), _shown(kind, identity), at)
            for kind, at in Identifier.objects.filter(contact=found)
            .order_by("kind", "id")
            .values_list("kind", "created_at")
        ],
        "mails": mails_of(actor=actor, contact_id=found.pk),
        "items": items,
        "more_url": more_url(public_id, more),
        "seen": found.updated_at.isoformat(),
    }
    return render(request, "contacts/contact.html", context)


@require_safe
def timeline(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Further lines, for the button at the end of the timeline."""
    found, _identity = contact_or_404(request, public_id)
    items, more = timeline_page(actor=actor_of(request), contact_id=found.pk, before=_before(request))
    context = {"items": items, "more_url": more_url(public_id, more), "contact": found}
    return render(request, "contacts/parts/timeline_items.html", context)


def more_url(public_id: UUID, more: tuple[datetime, int] | None) -> str:
    if more is None:
        return ""
    stamp = more[0].isoformat().replace("+", "%2B")
    return reverse("contacts:timeline", args=[public_id]) + f"?before={stamp}~{more[1]}"


def _before(request: HttpRequest) -> tuple[datetime, int] | None:
    stamp, _tilde, number = request.GET.get("before", "").rpartition("~")
    if not number.isdecimal() or len(number) > 18:
        return None
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return (at, int(number)) if at.tzinfo is not None else None


def _facts(found: Contact, identity: Identity, custom: Mapping[str, FieldDefinition]) -> list[Fact]:
    """Every field that has a value, and where the value comes from."""
    facts = []
    for key in words.FIELDS:
        value = _standard(key, found, identity)
        if value and not (key in {"family_name", "given_name"} and identity.full_name):
            facts.append(_fact(words.field_name(key), value, provenance_of(found, key)))
    for key, value in {**found.attributes, **identity.extra}.items():
        definition = custom.get(key)
        if definition is None and key in identity.extra:
            continue
        label = words.label_of(definition) if definition is not None else key
        text = words.value_text(definition, value) if definition is not None else str(value)
        origin = "custom." + key if "custom." + key in found.provenance else key
        facts.append(_fact(label, text, provenance_of(found, origin)))
    return facts


def _fact(label: str, value: str, origin: Provenance | None) -> Fact:
    source = words.source_name(origin.source) if origin is not None else ""
    return Fact(label, value, source, origin.observed_at if origin is not None else None)


def _standard(key: str, found: Contact, identity: Identity) -> str:
    if key == "sex":
        return str(words.SEXES.get(found.sex, ""))
    if key == "country":
        return words.country_name(found.country)
    if hasattr(identity, key):
        return str(getattr(identity, key))
    return str(getattr(found, key))


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


def _tag_choices(request: HttpRequest, held: set[int]) -> list[tuple[str, str]]:
    return [
        (tag.key, words.tag_name(tag))
        for _group, tags in tag_tree(actor=actor_of(request))
        for tag in tags
        if tag.pk not in held
    ]


def _shown(kind: str, identity: Identity) -> Any:
    """Identifiers are kept by blind index only; the value stands in the identity."""
    return getattr(identity, kind, "") or "—"
