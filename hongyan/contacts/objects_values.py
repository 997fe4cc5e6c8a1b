"""Values of custom objects: a type's fields, and raw values in the JSON form of their type. Pure but for the clock-free
rules of ``normalise``."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from hongyan.contacts import normalise
from hongyan.contacts.errors import InvalidValues, NormaliseProblem
from hongyan.contacts.fields import typed
from hongyan.contacts.models import FieldDefinition, ObjectType
from hongyan.contacts.values import sensitive_text
from hongyan.core.money import Money, exponent

TITLE_LIMIT: Final = 200


class ObjectFieldType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"  # {"amount_minor": 199900, "currency": "CNY"}
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    URL = "url"


@dataclass(frozen=True, slots=True)
class ObjectField:
    """options: [{"value", "label_zh", "label_en"}] of a choice. currency: of money that names none."""

    key: str
    label_zh: str
    label_en: str
    type: ObjectFieldType
    sensitive: bool = False
    options: Sequence[Mapping[str, str]] = field(default_factory=tuple)
    currency: str = ""

    def label(self, language: str) -> str:
        return self.label_zh if language.startswith("zh") else self.label_en

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "type": self.type.value, "options": [dict(option) for option in self.options]}


@dataclass(frozen=True, slots=True)
class ObjectParts:
    """attributes: JSON values of fields that are not sensitive. sealed: texts of those that are. None and "" clear."""

    attributes: dict[str, Any]
    sealed: dict[str, str]


def fields_of(kind: ObjectType) -> list[ObjectField]:
    return [
        ObjectField(
            key=item["key"],
            label_zh=item["label_zh"],
            label_en=item["label_en"],
            type=ObjectFieldType(item["type"]),
            sensitive=bool(item.get("sensitive")),
            options=tuple(item.get("options", ())),
            currency=item.get("currency", ""),
        )
        for item in kind.fields
    ]


def parts_of(fields: Sequence[ObjectField], values: Mapping[str, Any], *, zone: str = "UTC") -> ObjectParts:
    """Raises InvalidValues (field → code); a name the type does not have is one of them."""
    known, problems = {item.key: item for item in fields}, dict[str, str]()
    parts = ObjectParts({}, {})
    for key, value in values.items():
        try:
            if (item := known.get(key)) is None:
                raise NormaliseProblem("unknown_field")
            found = value_of(item, value, zone=zone)
            if item.sensitive:
                parts.sealed[key] = sensitive_text(found)
            else:
                parts.attributes[key] = found
        except NormaliseProblem as problem:
            problems[key] = problem.code
    if problems:
        raise InvalidValues(problems)
    return parts


def value_of(item: ObjectField, value: Any, *, zone: str = "UTC") -> Any:
    """A raw value in the JSON form of its field's type; None when it is empty. Raises NormaliseProblem."""
    if item.type is ObjectFieldType.MONEY:
        return _money(item, value)
    shape = FieldDefinition(key=item.key, type=item.type.value, options=list(item.options))
    return typed(shape, value, zone=zone)


def _money(item: ObjectField, value: Any) -> dict[str, Any] | None:
    """``{"amount": "12.50", "currency": "CNY"}``, ``{"amount_minor": 1250, …}``, or a text such as "1,250.00 CNY"."""
    if value is None or value == "":
        return None
    if isinstance(value, Mapping):
        currency = normalise.currency(str(value.get("currency") or item.currency))
        minor = value.get("amount_minor")
        if isinstance(minor, int) and not isinstance(minor, bool):
            return _minor(Decimal(minor), currency)
        return _amount(value.get("amount"), currency)
    if isinstance(value, (bool, list, tuple)):
        raise NormaliseProblem("type_mismatch")
    text = normalise.line(str(value), limit=80)
    head, _space, tail = text.rpartition(" ")
    if head and not any(character.isdigit() for character in tail):
        return _amount(head, normalise.currency(tail))
    return _amount(text, normalise.currency(item.currency))


def _amount(amount: Any, currency: str) -> dict[str, Any]:
    number = normalise.number(str(amount))
    return _minor(number.scaleb(exponent(currency)), currency)


def _minor(minor: Decimal, currency: str) -> dict[str, Any]:
    """More decimals than the currency has are refused: rounding money is nobody's wish."""
    if minor != minor.to_integral_value() or minor.adjusted() > 15:
        raise NormaliseProblem("number")
    return {"amount_minor": int(minor), "currency": currency}


def money_text(value: Any) -> str:
    """ "1,250.00 CNY"; "" for what is no money."""
    if not isinstance(value, Mapping) or not isinstance(value.get("amount_minor"), int):
        return ""
    currency = str(value.get("currency", ""))
    return f"{Money(value['amount_minor'], currency).major():,.{exponent(currency)}f} {currency}".strip()


def title_text(item: ObjectField | None, attributes: Mapping[str, Any], external_id: str) -> str:
    """How a thing is called: the value of the title field, else its external id."""
    value = attributes.get(item.key) if item is not None else None
    if value in (None, "") or item is None:
        return external_id[:TITLE_LIMIT]
    if item.type is ObjectFieldType.MONEY:
        return money_text(value)[:TITLE_LIMIT]
    if item.type is ObjectFieldType.CHOICE:
        labels = {option["value"]: option.get("label_zh") or option["value"] for option in item.options}
        return str(labels.get(str(value), value))[:TITLE_LIMIT]
    return str(value)[:TITLE_LIMIT]
