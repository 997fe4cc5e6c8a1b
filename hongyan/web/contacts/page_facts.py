"""What is known of a person, each value with where it comes from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.urls import NoReverseMatch, reverse

from hongyan.contacts.models import Contact, FieldDefinition
from hongyan.contacts.selectors import provenance_of
from hongyan.contacts.types import Identity, Provenance
from hongyan.web.contacts import words


@dataclass(frozen=True, slots=True)
class Fact:
    key: str
    label: str
    value: str
    source: str
    at: datetime | None
    why_url: str = ""  # where several sources gave values: which won, and why


def facts_of(found: Contact, identity: Identity, custom: Mapping[str, FieldDefinition]) -> list[Fact]:
    """Every field that has a value."""
    facts = []
    for key in words.FIELDS:
        value = standard_value(key, found, identity)
        if value and not (key in {"family_name", "given_name"} and identity.full_name):
            facts.append(_fact(found, key, words.field_name(key), value, provenance_of(found, key)))
    for key, value in {**found.attributes, **identity.extra}.items():
        definition = custom.get(key)
        if definition is None and key in identity.extra:
            continue
        label = words.label_of(definition) if definition is not None else key
        text = words.value_text(definition, value) if definition is not None else str(value)
        origin = "custom." + key if "custom." + key in found.provenance else key
        facts.append(_fact(found, "custom." + key, label, text, provenance_of(found, origin)))
    return facts


def common_origin(facts: Sequence[Fact]) -> tuple[str, datetime | None]:
    """Where most values come from, when it is most of them: said once instead of at each."""
    counted = Counter((fact.source, fact.at.date() if fact.at else None) for fact in facts if fact.source)
    if not counted:
        return "", None
    (source, day), times = counted.most_common(1)[0]
    if times < 3 or times * 2 < len(facts):
        return "", None
    return source, next(fact.at for fact in facts if fact.source == source and _day(fact) == day)


def _day(fact: Fact) -> date | None:
    return fact.at.date() if fact.at else None


def standard_value(key: str, found: Contact, identity: Identity) -> str:
    if key == "sex":
        return str(words.SEXES.get(found.sex, ""))
    if key == "country":
        return words.country_name(found.country)
    if hasattr(identity, key):
        return str(getattr(identity, key))
    return str(getattr(found, key))


def _fact(found: Contact, key: str, label: str, value: str, origin: Provenance | None) -> Fact:
    source = words.source_name(origin.source) if origin is not None else ""
    at = origin.observed_at if origin is not None else None
    return Fact(key, label, value, source, at, _why(found, key))


def _why(found: Contact, key: str) -> str:
    try:
        return reverse("identity:why", args=[found.public_id, key])
    except NoReverseMatch:
        return ""
