"""A record as the row of plain columns that comparisons and blocking read. Pure, the same for Splink and online."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from hongyan.contacts.companies_values import is_free_mail
from hongyan.contacts.normalise import NormaliseProblem
from hongyan.contacts.normalise import phone as normalise_phone
from hongyan.identity.matching.addresses import address
from hongyan.identity.matching.names import Name, folded, name_of, plain
from hongyan.identity.matching.record import Record

_DIGITS = re.compile(r"\D+", re.ASCII)
_ID = re.compile(r"[^0-9a-z]+")
_FIGURES, _LETTERS = re.compile("[0-9]+"), re.compile("[a-z]+")
_STEM = 3  # letters of a name by which it is known in an address
_DATE = re.compile(r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})(?:\D.*)?")
# What forms ask for is answered somehow: these days are not birthdays.
_NO_DATES = frozenset({"00000000", "19000101", "18991230", "11111111", "99991231"})
_CITY = re.compile(r"(?:shi|city)$")
_REGION = re.compile(r"(?:sheng|shi|zizhiqu|state|province)$")


class Features(NamedTuple):
    """None: unknown. All text is plain ASCII, except *_written and e-mail addresses that are not."""

    given: str | None
    given_written: str | None
    given_first: str | None
    middle: str | None
    roots: tuple[str, ...]
    family: str | None
    family_written: str | None
    readings: tuple[str, ...]
    sound: str | None
    birth: str | None  # eight digits, impossible days included
    email: str | None
    email_user: str | None
    email_own: str | None  # what of the user is not made of the name; NOTHING where all of it is
    phone: str | None
    house: str | None
    street: str | None
    place: str | None
    city: str | None
    region: str | None
    postcode: str | None
    country: str | None
    sex: str | None
    national_id: str | None
    birth_place: str | None
    occupation: str | None
    source: str | None
    numbers: tuple[str, ...]  # see ``Record``; for the guards only


COLUMNS = Features._fields
LISTS = frozenset({"roots", "readings", "numbers"})


def features(record: Record) -> Features:
    name = name_of(record.given_name, record.family_name, record.full_name)
    where = address(folded(record.street)) if record.street else address("")
    email = record.email.casefold()
    user = _user(email)
    return Features(
        name.given or None,
        name.given_written or None,
        name.given_first or None,
        name.middle or None,
        name.roots,
        name.family or None,
        name.family_written or None,
        name.readings,
        name.sound or None,
        birth(record.birth_date),
        email or None,
        user,
        _own(user, email.rpartition("@")[2], name) if user else None,
        phone(record.phone, record.country),
        where.house or None,
        where.street or None,
        where.place or None,
        place_name(record.city, "city"),
        place_name(record.region, "region"),
        postcode(record.postal_code),
        plain(record.country) or None,
        record.sex if record.sex in {"1", "2"} else None,
        _ID.sub("", folded(record.national_id)) or None,
        place_name(record.birth_place, "city"),
        (plain(record.occupation) or None) if record.occupation else None,
        record.source or None,
        record.numbers,
    )


@lru_cache(maxsize=65536)
def birth(text: str) -> str | None:
    """Year, month and day as eight digits. Days that never were stay: a slip of the pen is still evidence."""
    match = _DATE.fullmatch(text.strip()) if text else None
    if match is None:
        return None
    year, month, day = match.groups()
    digits = f"{year}{month:0>2}{day:0>2}"
    return None if digits in _NO_DATES else digits


@lru_cache(maxsize=4096)
def _region_of(country: str) -> str:
    return country.upper() if len(country) == 2 else "CN"


def phone(text: str, country: str) -> str | None:
    """E.164 digits where the number is valid, its bare digits where it is not."""
    if not text:
        return None
    try:
        number = normalise_phone(text, region=_region_of(country))
    except NormaliseProblem:
        number = _DIGITS.sub("", folded(text))
    number = number.lstrip("+")
    return number if len(number) >= 5 else None


@lru_cache(maxsize=65536)
def place_name(text: str, kind: str) -> str | None:
    """上海市 and Shanghai are one."""
    flat = plain(text).replace(" ", "") if text else ""
    short = (_CITY if kind == "city" else _REGION).sub("", flat)
    return (short if len(short) > 2 else flat) or None


@lru_cache(maxsize=65536)
def postcode(text: str) -> str | None:
    return _ID.sub("", folded(text)) or None if text else None


def _user(email: str) -> str | None:
    """The part before the @, without what people vary: dots, tags, hyphens."""
    user = email.partition("@")[0].partition("+")[0]
    return _ID.sub("", folded(user)) or None


NOTHING = "-"


def _own(user: str, host: str, name: Name) -> str:
    """What tells more than the name, which is compared already: wang.wei88 and wangwei95 are namesakes, not slips. The
    host tells more where it is not one that everybody uses.

    >>> wang = name_of("", "", "王伟")
    >>> _own("weiwang1988", "qq.com", wang), _own("wei", "lu.example", wang), _own("sunnygirl7", "qq.com", wang)
    ('1988', '@lu.example', 'sunnygirl7')
    """
    letters = _FIGURES.sub("", user)
    own = _LETTERS.sub("", user) if letters and _of_name(letters, name) else user
    return own + ("" if is_free_mail(host) else f"@{host}") or NOTHING


def _of_name(letters: str, name: Name) -> bool:
    for word in (name.family, name.given, name.given_first, *name.readings):
        if len(word) >= _STEM and word[:_STEM] in letters:
            return True
        if word and (letters.startswith(word) or letters.endswith(word)):
            return True
    initials = {word[0] for word in (name.family, name.given) if word}
    return len(letters) <= _STEM and not initials.isdisjoint(letters)


def as_mapping(row: Features) -> Mapping[str, object]:
    return row._asdict()
