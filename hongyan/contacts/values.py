"""Raw values into the parts of a contact, collecting every problem rather than stopping at the first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hongyan.contacts import normalise
from hongyan.contacts.errors import InvalidValues, NormaliseProblem
from hongyan.contacts.fields import definitions, typed
from hongyan.contacts.normalise.names import joined
from hongyan.contacts.types import IDENTITY_FIELDS, LIMITS, PLAIN_FIELDS
from hongyan.core.clock import now

CUSTOM = "custom."


@dataclass(slots=True)
class Parts:
    """Normalised values by key. "" and None clear a field."""

    identity: dict[str, str] = field(default_factory=dict)
    plain: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)

    def names(self) -> list[str]:
        custom = [CUSTOM + key for key in (*self.attributes, *self.extra)]
        return [*self.identity, *self.plain, *custom]


def parts_of(values: Mapping[str, Any], *, region: str = "CN", zone: str = "UTC") -> Parts:
    """region: country of phone numbers without a country code, unless ``values`` name one. Raises InvalidValues."""
    parts, problems = Parts(), dict[str, str]()
    custom = {item.key: item for item in definitions()} if any(key.startswith(CUSTOM) for key in values) else {}
    country = _country(values)
    for key, value in values.items():
        try:
            if key.startswith(CUSTOM):
                definition = custom.get(key.removeprefix(CUSTOM))
                if definition is None:
                    raise NormaliseProblem("unknown_field")
                found = typed(definition, value, zone=zone)
                if definition.sensitive:
                    parts.extra[definition.key] = sensitive_text(found)
                else:
                    parts.attributes[definition.key] = found
            elif key in IDENTITY_FIELDS:
                parts.identity[key] = _identity(key, "" if value is None else str(value), country or region)
            elif key in PLAIN_FIELDS:
                parts.plain[key] = _plain(key, "" if value is None else str(value))
            else:
                raise NormaliseProblem("unknown_field")
        except NormaliseProblem as problem:
            problems[key] = problem.code
    if problems:
        raise InvalidValues(problems)
    _complete_name(parts.identity)
    return parts


def sensitive_text(value: Any) -> str:
    """The text form under which a sensitive value is sealed and found again."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "|".join(value) if isinstance(value, list) else str(value)


def _identity(key: str, text: str, region: str) -> str:
    text = text.strip()
    if not text:
        return ""
    if key in {"full_name", "family_name", "given_name"}:
        name = normalise.clean_name(text)
        if len(name) > LIMITS[key]:
            raise NormaliseProblem("too_long")
        return name
    if key == "birth_date":
        day = normalise.date(text)
        if day > now().date():
            raise NormaliseProblem("date_future")
        return day.isoformat()
    if key == "notes":
        return normalise.paragraph(text, limit=LIMITS[key])
    if key == "email":
        return normalise.email(text)
    if key == "phone":
        return normalise.phone(text, region)
    return normalise.line(text, limit=LIMITS[key])


_PLAIN: dict[str, Callable[[str], Any]] = {
    "sex": normalise.sex,
    "language": normalise.language,
    "country": normalise.country,
    "time_zone": normalise.time_zone,
    "region": lambda text: normalise.line(text, limit=LIMITS["region"]),
    "city": lambda text: normalise.line(text, limit=LIMITS["city"]),
}


def _plain(key: str, text: str) -> Any:
    text = text.strip()
    if not text:
        return 0 if key == "sex" else ""
    return _PLAIN[key](text)


def _country(values: Mapping[str, Any]) -> str:
    try:
        return normalise.country(str(values.get("country") or ""))
    except NormaliseProblem:
        return ""  # refused where the field itself is read


def _complete_name(identity: dict[str, str]) -> None:
    """A full name alone is split; its parts alone are joined."""
    family, given = identity.get("family_name", ""), identity.get("given_name", "")
    if identity.get("full_name") and not family and not given:
        identity["family_name"], identity["given_name"] = normalise.split_name(identity["full_name"])
    elif (family or given) and not identity.get("full_name"):
        identity["full_name"] = joined(family, given)
