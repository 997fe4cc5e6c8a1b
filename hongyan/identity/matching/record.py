"""The general form of a record of a person, whatever it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self


@dataclass(frozen=True, slots=True)
class Record:
    """What matching looks at; an empty text means unknown. Row ids and customer numbers are deliberately not here: two
    customer numbers are what a duplicate has. birth_date: ISO 8601 or eight digits, may be impossible. national_id: an
    identity card, passport or social security number. street: one line, parts in the order of the country. source: the
    list or system a record came from: where lists hold everybody once, two records of one list are two people."""

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
    source: str = ""

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Self:
        """Keys that are no field are ignored."""
        return cls(**{item.name: str(value).strip() for item in fields(cls) if (value := values.get(item.name))})
