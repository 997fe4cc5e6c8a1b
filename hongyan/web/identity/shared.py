"""What the views of this area share: fields side by side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from django.http import HttpRequest
from django.utils.translation import gettext as _

from hongyan.accounts.types import Actor
from hongyan.contacts.fields import definitions
from hongyan.contacts.profiles import CUSTOM, SEALED
from hongyan.identity.survivorship import GROUPS
from hongyan.identity.types import Decision
from hongyan.web.contacts import words as contact_words
from hongyan.web.identity import words

_FIRST: Final = ("full_name", "email", "phone", "birth_date", "sex", "company", "external_id", "street")
_FOLLOWERS: Final = {name for lead, names in GROUPS.items() for name in names if name != lead}
_ADDRESS: Final = ("country", "region", "city", "street", "postal_code")


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One line of the comparison. winner: "first" | "second" | "both"."""

    field: str
    label: str
    first: str
    second: str
    winner: str
    why: str
    same: bool
    choosable: bool


def actor_of(request: HttpRequest) -> Actor:
    return cast("Actor", cast("Any", request).actor)


def field_rows(decisions: Sequence[Decision]) -> list[FieldRow]:
    """What differs first; names and addresses as one line each."""
    made = {decision.field: decision for decision in decisions}
    leads = dict.fromkeys(_lead(name) for name in made)
    order = sorted(leads, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    rows = [_row(name, made) for name in order]
    return sorted(rows, key=lambda row: row.same)


def choices_of(request: HttpRequest, decisions: Sequence[Decision], *, swapped: bool) -> dict[str, str]:
    """What somebody chose against the rules: field → "survivor" | "loser". swapped: the second record stays."""
    sides = {"first": "loser" if swapped else "survivor", "second": "survivor" if swapped else "loser"}
    chosen = {}
    for row in field_rows(decisions):
        wanted = request.POST.get(f"choice.{row.field}", "")
        if wanted in sides and wanted != row.winner and row.choosable:
            chosen[_representative(row.field, decisions)] = sides[wanted]
    return chosen


def shown(field: str, value: Any) -> str:
    """A value as people read it."""
    if value is None or value == "":
        return ""
    if field == "country":
        return contact_words.country_name(str(value))
    if field == "sex":
        return str(contact_words.SEXES.get(value, value))
    if field.startswith((CUSTOM, SEALED)):
        key = field.removeprefix(CUSTOM).removeprefix(SEALED)
        known = {item.key: item for item in definitions()}
        return contact_words.value_text(known[key], value) if key in known else str(value)
    return str(value)


def _lead(name: str) -> str:
    return next((lead for lead, names in GROUPS.items() if name in names), name)


def _representative(lead: str, decisions: Sequence[Decision]) -> str:
    """A field of the group that is there; the choice holds for the group."""
    return next(made.field for made in decisions if _lead(made.field) == lead)


def _row(lead: str, made: Mapping[str, Decision]) -> FieldRow:
    members = [made[name] for name in GROUPS.get(lead, (lead,)) if name in made]
    verdict = members[0]
    first, second = (_joined(lead, members, side) for side in ("survivor", "loser"))
    winner = {"survivor": "first", "loser": "second"}.get(verdict.winner, verdict.winner)
    same = all(not item.differs for item in members)
    return FieldRow(
        field=lead,
        label=words.field_name(lead),
        first=first,
        second=second,
        winner=winner,
        why="" if same else str(words.WHY[next((item.why for item in members if item.differs), verdict.why)]),
        same=same,
        choosable=not same and bool(first) and bool(second) and winner != "both",
    )


def _joined(lead: str, members: Iterable[Decision], side: str) -> str:
    values = {item.field: shown(item.field, getattr(item, side)) for item in members}
    if lead == "full_name":
        return values.get("full_name") or " ".join(filter(None, (values.get("family_name"), values.get("given_name"))))
    if lead == "street":
        return _(", ").join(value for name in _ADDRESS if (value := values.get(name)))
    return values.get(lead, "")
