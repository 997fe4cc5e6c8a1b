"""Traits of Segment's spec as fields of a contact. Pure but for the definitions it is given."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hongyan.contacts.errors import InvalidValues, NormaliseProblem
from hongyan.contacts.fields import typed
from hongyan.contacts.models import FieldDefinition
from hongyan.contacts.values import parts_of, sensitive_text

# trait (snake case) → field. Segment's spec, "Identify: Traits", and the names other libraries use for the same.
_FIELDS = {
    "email": "email",
    "phone": "phone",
    "first_name": "given_name",
    "given_name": "given_name",
    "last_name": "family_name",
    "family_name": "family_name",
    "name": "full_name",
    "full_name": "full_name",
    "birthday": "birth_date",
    "birth_date": "birth_date",
    "gender": "sex",
    "sex": "sex",
    "language": "language",
    "locale": "language",
    "timezone": "time_zone",
    "time_zone": "time_zone",
    "street": "street",
    "city": "city",
    "region": "region",
    "state": "region",
    "postal_code": "postal_code",
    "zip": "postal_code",
    "country": "country",
}
_ADDRESS = ("street", "city", "state", "region", "postal_code", "zip", "country")
_IGNORED = frozenset({"id", "user_id", "anonymous_id", "created_at", "created"})
_MOST_LOOSE = 100  # of one person
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(slots=True)
class Traits:
    """identity, plain, attributes: normalised, for the bulk writer. loose: no field yet. refused: trait → code."""

    identity: dict[str, Any] = field(default_factory=dict)
    plain: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    loose: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def read(traits: Mapping[str, Any], definitions: Mapping[str, FieldDefinition]) -> Traits:
    """definitions: custom fields by key."""
    found, standard, names = Traits(), dict[str, Any](), dict[str, str]()
    for name, value in _flat(traits):
        key = snake(name)
        if key in _IGNORED or value is None or value == "":
            continue
        target = _FIELDS.get(key)
        if target is not None and not isinstance(value, dict | list | bool):
            standard.setdefault(target, value)
            names.setdefault(target, name)
        elif key in definitions:
            _custom(found, definitions[key], name, value)
        elif key == "company" and isinstance(value, str):
            standard.setdefault("company", value)
            names.setdefault("company", name)
        elif len(found.loose) < _MOST_LOOSE:
            found.loose[name] = value
    _standard(found, standard, names)
    return found


def snake(name: str) -> str:
    """
    >>> snake("firstName"), snake("Plan Name"), snake("postalCode")
    ('first_name', 'plan_name', 'postal_code')
    """
    return "_".join(_CAMEL.sub("_", name).replace(".", " ").replace("-", " ").replace("_", " ").lower().split())


def _flat(traits: Mapping[str, Any]) -> Sequence[tuple[str, Any]]:
    """Address and company are objects in the spec; their parts are fields of ours."""
    pairs: list[tuple[str, Any]] = []
    for name, value in traits.items():
        key = snake(name)
        if key == "address" and isinstance(value, dict):
            pairs += [(f"address.{part}", inner) for part, inner in value.items() if snake(part) not in _ADDRESS]
            pairs += [(part, inner) for part, inner in value.items() if snake(part) in _ADDRESS]
        elif key == "company" and isinstance(value, dict):
            pairs += [("company", value.get("name"))]
            pairs += [(f"company.{part}", inner) for part, inner in value.items() if part != "name"]
        else:
            pairs.append((name, value))
    return pairs


def _custom(found: Traits, definition: FieldDefinition, name: str, value: Any) -> None:
    try:
        read_value = typed(definition, value)
    except NormaliseProblem as problem:
        found.refused[name] = problem.code
        return
    if read_value is None:
        return
    if definition.sensitive:
        found.identity.setdefault("extra", {})[definition.key] = sensitive_text(read_value)
    else:
        found.attributes[definition.key] = read_value


def _standard(found: Traits, standard: dict[str, Any], names: Mapping[str, str]) -> None:
    """What can be read is taken, whatever else cannot."""
    while standard:
        try:
            parts = parts_of(standard)
        except InvalidValues as error:
            for key, code in error.problems.items():
                standard.pop(key)
                found.refused[names[key]] = code
            continue
        found.identity |= {key: value for key, value in parts.identity.items() if value}
        found.plain |= {key: value for key, value in parts.plain.items() if value}
        return


Reader = Callable[[Mapping[str, Any]], Traits]


def reader(definitions: Sequence[FieldDefinition]) -> Reader:
    by_key = {definition.key: definition for definition in definitions}
    return lambda traits: read(traits, by_key)
