"""Which column is which field: suggestions from headers and from values, and the check of a finished mapping. Pure."""

import hashlib
import re
from collections.abc import Mapping, Sequence

from hongyan.ingest import headers
from hongyan.ingest.errors import MappingRefused
from hongyan.ingest.files.types import Row
from hongyan.ingest.types import Suggestion

# What an import may write, in the order of the choice list. Everything else of a contact is kept by Hongyan itself.
STANDARD = (
    "email",
    "phone",
    "external_id",
    "full_name",
    "family_name",
    "given_name",
    "sex",
    "birth_date",
    "company",
    "country",
    "region",
    "city",
    "street",
    "postal_code",
    "language",
    "time_zone",
    "tags",
    "notes",
)
# Written by an import, but no field of their own: parts of the street, and what the file calls the row.
PARTS = ("street_number", "street_2", "row_id")
CUSTOM = "custom."  # prefix of a custom field's key
KEYS = ("email", "phone", "external_id")
EVERY_ROW = "row"  # instead of a key: each row is a contact, unless its e-mail or external id is known already
_PROTECTED = frozenset(
    [
        "id",
        "public_id",
        "consent",
        "consent_status",
        "consent_state",
        "owner",
        "owner_id",
        "tenant",
        "tenant_id",
        "score",
        "created_at",
        "updated_at",
        "source",
        "suppressed",
        "suppression",
        "unsubscribed",
        "lifecycle_stage",
        "stage",
        "erased",
        "is_active",
        "role",
        "password",
        "permissions",
    ]
)

_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
_PHONE = re.compile(r"^\+?[\d\s().\-]{7,20}$")
_MOBILE = re.compile(r"^(\+?86)?[\s-]?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}$|^\+\d[\d\s().\-]{6,18}$")
_DATE = re.compile(r"^\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?$")
_DATETIME = re.compile(r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[T ]\d{1,2}:\d{2}")
_NUMBER = re.compile(r"^[+-]?\d{1,15}(\.\d+)?$")
_BOOLEAN = frozenset(["yes", "no", "true", "false", "y", "n", "是", "否", "有", "无", "t", "f", "对", "错"])
_SAMPLES = 5


def suggest(
    header: Sequence[str],
    rows: Sequence[Row],
    *,
    custom: Mapping[str, str],
    remembered: Sequence[str] | None = None,
) -> list[Suggestion]:
    """One suggestion a column; no field is suggested twice.

    custom: key → label of the custom fields that exist. remembered: the mapping last used with this header.
    """
    columns = [
        [cells[n] for _, cells in rows if isinstance(cells, list) and cells[n].strip()] for n in range(len(header))
    ]
    known = {*STANDARD, *PARTS, *(CUSTOM + key for key in custom)}
    taken: set[str] = set()
    chosen: dict[int, tuple[str, str]] = {}

    def take(column: int, target: str | None, because: str) -> None:
        if target and column not in chosen and target in known and target not in taken:
            chosen[column] = (target, because)
            taken.add(target)

    if remembered is not None and len(remembered) == len(header):
        for column, target in enumerate(remembered):
            take(column, target, "remembered")
            if not target:
                chosen.setdefault(column, ("", "remembered"))
    for column, name in enumerate(header):
        take(column, headers.target_of(name), "header")
    labels = {headers.plain(text): CUSTOM + key for key, label in custom.items() for text in (key, label)}
    for column, name in enumerate(header):
        take(column, labels.get(headers.plain(name)), "header")
    for column, values in enumerate(columns):
        take(column, _by_values(values), "values")
    return [
        Suggestion(
            column,
            name,
            *chosen.get(column, ("", "")),
            samples=tuple(dict.fromkeys(value[:80] for value in columns[column]))[:_SAMPLES],
            custom_type=custom_type(columns[column]),
        )
        for column, name in enumerate(header)
    ]


def check(mapping: Sequence[str], *, width: int, custom: Sequence[str], match_on: str) -> None:
    """Raises MappingRefused at the first thing that is wrong."""
    if len(mapping) != width:
        raise MappingRefused("mapping_length", given=len(mapping), columns=width)
    used = [target for target in mapping if target]
    allowed = {*STANDARD, *PARTS, *(CUSTOM + key for key in custom)}
    for target in used:
        if target.removeprefix(CUSTOM) in _PROTECTED:
            raise MappingRefused("mapping_protected", target=target[:64])
        if target not in allowed:
            raise MappingRefused("mapping_unknown", target=target[:64])
        if used.count(target) > 1:
            raise MappingRefused("mapping_twice", target=target)
    if not used:
        raise MappingRefused("mapping_empty")
    if match_on == EVERY_ROW:
        return
    if match_on not in KEYS:
        raise MappingRefused("option_unknown", option="match_on", value=str(match_on)[:40])
    if match_on not in used:
        raise MappingRefused("mapping_no_key", target=match_on)


def signature(header: Sequence[str]) -> bytes | None:
    """Under which a mapping is remembered; None for a file without header names."""
    names = [headers.plain(name) for name in header]
    return hashlib.sha256("\x1f".join(names).encode()).digest() if any(names) else None


def custom_type(values: Sequence[str]) -> str:
    """The type a new custom field of these values would have: number, date, datetime, boolean or text."""
    plain = [value.strip() for value in values]
    if not plain:
        return "text"
    if all(value.casefold() in _BOOLEAN for value in plain):
        return "boolean"
    if all(_NUMBER.match(value) and not (len(value) > 1 and value[0] == "0" and value[1] != ".") for value in plain):
        return "number"
    if all(_DATE.match(value) for value in plain):
        return "date"
    return "datetime" if all(_DATETIME.match(value) for value in plain) else "text"


def _by_values(values: Sequence[str]) -> str | None:
    if not values:
        return None
    if _share(values, _EMAIL) >= 0.6:
        return "email"
    if _share(values, _MOBILE) >= 0.6 and _share(values, _PHONE) >= 0.6:
        return "phone"
    return None


def _share(values: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(bool(pattern.match(value.strip())) for value in values) / len(values)
