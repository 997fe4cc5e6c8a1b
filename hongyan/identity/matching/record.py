"""The general form of a record of a person, whatever it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Record:
    """What matching looks at; an empty text means unknown. Row ids are deliberately not here. birth_date: ISO 8601 or
    eight digits, may be impossible. national_id: an identity card, passport or social security number. street: one
    line, parts in the order of the country. source: the list or system a record came from: where lists hold everybody
    once, two records of one list are two people. numbers: customer numbers, each with the source that gave it
    (``customer_number``); never compared, but one source's two numbers are two of its customers (``guards``)."""

    given_name: str = ""
    family_name: str = ""
    full_name: str = ""
    email: str = ""
    phone: str = ""
    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    birth_date: str = ""
    sex: str = ""
    national_id: str = ""
    birth_place: str = ""
    occupation: str = ""
    source: str = ""
    numbers: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Self:
        """Texts by name; keys that are no field are ignored."""
        names = (item.name for item in fields(cls) if item.name != "numbers")
        texts: dict[str, Any] = {name: str(value).strip() for name in names if (value := values.get(name))}
        return cls(**texts)


def customer_number(source: str, number: str) -> str:
    return f"{source}\x1f{number}"
