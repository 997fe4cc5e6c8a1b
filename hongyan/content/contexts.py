"""What a batch of people's mails read: a fixed number of queries, only the columns asked for, and no seal opened unless
a mail prints identifying data. Empty values are left out, which is what rendering's strictness rests on."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date
from django.conf import settings

from hongyan.contacts.masking import masked_identity
from hongyan.contacts.models import Contact, FieldDefinition
from hongyan.contacts.sealing import open_blob, open_fields
from hongyan.contacts.types import Identity
from hongyan.content.catalogue import STATIC
from hongyan.content.values import clean
from hongyan.core import clock
from hongyan.core.sql import any_of

_NAMES = ("full_name", "family_name", "given_name")
_SEALED = ("given_name", "family_name", "email", "phone", "street", "postal_code")
_PLAIN = {
    "city": ("city",),
    "region": ("region",),
    "country": ("country",),
    "country_name": ("country",),
    "language": ("language",),
    "sex": ("sex",),
    "salutation": ("sex",),
    "birth_month": ("birth_month",),
    "birth_day": ("birth_day",),
}
_CUSTOM = "contact.fields."


def contexts(
    contact_ids: Sequence[int],
    variables: Iterable[str],
    *,
    language: str = "zh-hans",
    at: datetime | None = None,
    masked: bool = False,
) -> dict[int, dict[str, Any]]:
    """System use: the caller has checked who may see what. language: of the mail, for dates and country names.
    masked: identifying data as people without the right to see it get it, for previews."""
    wanted = frozenset(variables)
    needs = _Needs.of(wanted)
    rows = Contact.objects.filter(id__in=any_of(contact_ids)).values("id", *sorted(needs.columns))
    moment = at or clock.now()
    days: dict[str, dict[str, Any]] = {}
    found = {}
    for row in rows:
        contact = _contact(row, _identity(row, masked=masked) if needs.identity else None, needs, language)
        entry: dict[str, Any] = {"contact": contact}
        if needs.today:
            zone = row["time_zone"]
            if zone not in days:
                days[zone] = today(moment, zone, language)
            entry["today"] = days[zone]
        found[row["id"]] = entry
    return found


def _identity(row: Mapping[str, Any], *, masked: bool) -> Mapping[str, Any]:
    if masked:
        return asdict(masked_identity(open_blob(row["sealed"], contact_id=row["id"])))
    return open_fields(row["sealed"], contact_id=row["id"])


class _Needs:
    """What a set of variables asks of the database."""

    def __init__(self) -> None:
        self.fields: set[str] = set()  # contact.…
        self.custom: dict[str, FieldDefinition] = {}
        self.columns: set[str] = set()
        self.plain: tuple[str, ...] = ()  # of fields, those that are columns
        self.sealed: tuple[str, ...] = ()  # and those that stand in the blob as they are
        self.identity = self.today = False

    @classmethod
    def of(cls, wanted: Collection[str]) -> "_Needs":
        needs = cls()
        needs.fields = {name.removeprefix("contact.") for name in wanted if name.startswith("contact.")}
        keys = [name.removeprefix(_CUSTOM) for name in wanted if name.startswith(_CUSTOM)]
        if keys:
            needs.custom = {row.key: row for row in FieldDefinition.objects.filter(key__in=keys)}
        for name in needs.fields:
            needs.columns.update(_PLAIN.get(name, ()))
        if any(not definition.sensitive for definition in needs.custom.values()):
            needs.columns.add("attributes")
        needs.identity = any(name in STATIC and STATIC[name].identifying for name in wanted) or any(
            definition.sensitive for definition in needs.custom.values()
        )
        if needs.identity:
            needs.columns.add("sealed")
        needs.today = any(name.startswith("today.") for name in wanted)
        if needs.today:
            needs.columns.add("time_zone")
        needs.plain = tuple(name for name in needs.fields if name in needs.columns)
        needs.sealed = tuple(name for name in _SEALED if name in needs.fields)
        return needs


def _contact(
    row: Mapping[str, Any], identity: Mapping[str, Any] | None, needs: _Needs, language: str
) -> dict[str, Any]:
    values: dict[str, Any] = {name: row[name] for name in needs.plain}
    if "country_name" in needs.fields:
        values["country_name"] = country_name(row["country"], language)
    if "salutation" in needs.fields:
        values["salutation"] = salutation(row["sex"], language)
    if identity is not None:
        for name in needs.sealed:
            values[name] = identity.get(name)
        if "full_name" in needs.fields:
            values["full_name"] = _whole_name(*map(identity.get, _NAMES))
    values = {name: value for name, given in values.items() if (value := clean(given)) is not None}
    if needs.custom:
        values["fields"] = _custom(row, identity, needs.custom, language)
    return values


def _custom(
    row: Mapping[str, Any],
    identity: Mapping[str, Any] | None,
    definitions: Mapping[str, FieldDefinition],
    language: str,
) -> dict[str, Any]:
    values = {}
    for key, definition in definitions.items():
        holder = ((identity or {}).get("extra") or {}) if definition.sensitive else row["attributes"]
        value = clean(custom_text(holder.get(key), definition.type, language))
        if value is not None:
            values[key] = value
    return values


def custom_text(value: Any, kind: str, language: str) -> Any:
    """A custom value as a mail prints it; numbers and yes/no stay what they are, so that they can be compared."""
    if isinstance(value, list):
        return ("、" if _chinese(language) else ", ").join(str(item) for item in value)
    if kind == FieldDefinition.Type.DATE and isinstance(value, str):
        try:
            return written_date(date.fromisoformat(value), language)
        except ValueError:
            return value
    return value


def today(moment: datetime, zone: str, language: str) -> dict[str, Any]:
    """The day it is for a person. An unknown zone counts as the installation's own."""
    day = moment.astimezone(_zone(zone)).date()
    return {
        "text": written_date(day, language),
        "iso": day.isoformat(),
        "year": day.year,
        "month": day.month,
        "day": day.day,
        "weekday": format_date(day, "EEEE", locale=_locale(language)),
    }


def written_date(day: date, language: str) -> str:
    """2026年11月22日 / 22 November 2026"""
    return format_date(day, "y年M月d日" if _chinese(language) else "d MMMM y", locale=_locale(language))


def country_name(code: str, language: str) -> str | None:
    return _locale(language).territories.get(code) if code else None


def salutation(sex: int, language: str) -> str | None:
    """ISO/IEC 5218. Nothing for unknown and not applicable: a mail needs a fallback there."""
    return ({1: "先生", 2: "女士"} if _chinese(language) else {1: "Mr", 2: "Ms"}).get(sex)


def full_name(identity: Identity) -> str | None:
    return _whole_name(identity.full_name, identity.family_name, identity.given_name)


def _whole_name(whole_name: str | None, family_name: str | None, given_name: str | None) -> str | None:
    """As given; put together the way the script wants it when only the parts are known."""
    if whole := clean(whole_name):
        return str(whole)
    family, given = clean(family_name) or "", clean(given_name) or ""
    if any("\u4e00" <= character <= "\u9fff" for character in family + given):
        return family + given or None
    return " ".join(filter(None, (given, family))) or None


def _chinese(language: str) -> bool:
    return language.lower().startswith("zh")


@cache
def _locale(language: str) -> Locale:
    return Locale.parse("zh_Hans" if language.lower() in {"zh", "zh-hans", "zh-cn"} else language.replace("-", "_"))


@cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or settings.HONGYAN_TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(settings.HONGYAN_TIME_ZONE)
