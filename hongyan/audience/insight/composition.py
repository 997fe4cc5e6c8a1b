"""How an audience differs from everyone, field by field: one statement for all fields asked for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience import rows
from hongyan.audience.compiler.catalogue import Catalogue, FieldSpec, FieldType
from hongyan.audience.engines.door import routed
from hongyan.audience.engines.types import Engine
from hongyan.audience.insight.limits import AGES, FIFTHS, TAGS, VALUES
from hongyan.audience.insight.members import members_sql
from hongyan.audience.names import name_of_code
from hongyan.core import clock
from hongyan.core.sql import SQL

MOST_FIELDS: Final = 12
_KINDS: Final = {
    FieldType.TEXT,
    FieldType.CHOICE,
    FieldType.BOOLEAN,
    FieldType.CHOICES,
    FieldType.NUMBER,
    FieldType.TIME,
}
# What a page begins with, as far as the installation has it.
FIRST: Final = (
    "country", "city", "language", "source", "sex", "lifecycle.stage", "rfm.tier", "orders.count", "last_activity_at",
    TAGS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slice:
    """One value of a field: how many of the audience and of everyone have it."""

    field: str
    value: str
    label: str
    here: int
    here_total: int
    everyone: int
    everyone_total: int

    @property
    def here_rate(self) -> float:
        return self.here / self.here_total if self.here_total else 0.0

    @property
    def everyone_rate(self) -> float:
        return self.everyone / self.everyone_total if self.everyone_total else 0.0

    @property
    def index(self) -> int | None:
        """100: as common as among everyone; 200: twice as common. None where nobody has it."""
        return round(100 * self.here_rate / self.everyone_rate) if self.everyone_rate else None

    @property
    def weight(self) -> float:
        """How far from chance the difference is, in standard errors; signed."""
        rate = self.everyone_rate
        if not self.here_total or rate in (0.0, 1.0):
            return 0.0
        return (self.here_rate - rate) / math.sqrt(rate * (1 - rate) / self.here_total)


@dataclass(frozen=True, slots=True)
class Profile:
    """A field and its values, the most over- or under-represented first."""

    key: str
    label: str
    slices: tuple[Slice, ...]
    several: bool = False  # a contact may have several of the values


def comparable(catalogue: Catalogue) -> list[str]:
    """Fields that can be compared, as the catalogue orders them. Sealed ones are never among them."""
    return [key for key, spec in catalogue.fields.items() if spec.type in _KINDS] + [TAGS]


def profiles(
    *,
    actor: Actor,
    tree: Any,
    fields: Sequence[str],
    catalogue: Catalogue,
    language: str,
    n: int = 8,
    members: SQL | None = None,
    engine: Engine | str = Engine.AUTO,
) -> list[Profile]:
    """members: where their ids already stand, for when rows are read. Raises BadTree; fields that cannot be compared
    are passed over."""
    actor.require(Permission.CONTACT_VIEW)
    wanted = [key for key in dict.fromkeys(fields) if key in comparable(catalogue)][:MOST_FIELDS]
    if not wanted:
        return []
    now, engine = clock.now(), routed(engine)
    told = None if engine is Engine.POSTGRES else _by_columns(tree, wanted, catalogue, now, engine)
    if told is None:
        told = _by_rows(members or members_sql(tree, catalogue=catalogue), wanted, catalogue, now)
    found: dict[int, list[tuple[Any, ...]]] = {place: [] for place in range(len(wanted))}
    for place, *row in told:
        found[place].append(tuple(row))
    return [_profile(key, found[place], catalogue, language, n) for place, key in enumerate(wanted)]


def _by_columns(
    tree: Any, keys: Sequence[str], catalogue: Catalogue, now: datetime, engine: Engine
) -> list[tuple[Any, ...]] | None:
    """None where files cannot answer."""
    from hongyan.audience.insight import columns  # brings DuckDB along

    with columns.told(tree, keys, catalogue=catalogue, now=now, engine=engine) as people:
        return None if people is None else columns.counted(people, keys, catalogue, now)


def _by_rows(members: SQL, keys: Sequence[str], catalogue: Catalogue, now: datetime) -> list[tuple[Any, ...]]:
    params: dict[str, Any] = {**members.params, "at": now}
    parts = [_part(place, key, catalogue, params) for place, key in enumerate(keys)]
    text = (
        f"WITH here AS MATERIALIZED ({members.text}), "
        "totals AS (SELECT (SELECT count(*) FROM here) AS h, (SELECT count(*) FROM contacts_contact) AS e) "
        f"SELECT p.*, totals.h, totals.e FROM ({' UNION ALL '.join(parts)}) p, totals"
    )
    return rows.query(text, params)


def striking(profiles: Sequence[Profile], *, n: int = 8, at_least: float = 3.0) -> list[Slice]:
    """Over all fields, what differs most: beyond three standard errors, the farthest first."""
    slices = [item for profile in profiles for item in profile.slices if abs(item.weight) >= at_least and item.value]
    return sorted(slices, key=lambda item: (-abs(item.weight), -item.weight))[:n]


# ——— the statement


def _part(place: int, key: str, catalogue: Catalogue, params: dict[str, Any]) -> str:
    """SELECT of (place, value, low, high, here, everyone) for one field."""
    if key == TAGS:
        return (
            f"(SELECT {place} AS place, t.tag_id::text AS value, NULL::numeric AS low, NULL::numeric AS high, "
            "count(here.id) AS here, count(*) AS everyone FROM audience_contacttag t "
            "LEFT JOIN here ON here.id = t.contact_id GROUP BY t.tag_id)"
        )
    spec = catalogue.fields[key]
    value = value_sql(place, spec, params)
    joined = f"LEFT JOIN {spec.table} m ON m.{spec.theirs} = c.{spec.ours}" if spec.table else ""
    people = f"contacts_contact c LEFT JOIN here ON here.id = c.id {joined}"
    match spec.type:
        case FieldType.NUMBER:
            return _numbers(place, value, people)
        case FieldType.TIME:
            value = _age(value if not spec.attribute else f"({value})::timestamptz")
        case FieldType.CHOICES:
            people += f" CROSS JOIN LATERAL jsonb_array_elements({value}) v"
            people += " WHERE jsonb_typeof(v) = 'string'"
            value = "v #>> '{}'"
    return (
        f"(SELECT {place}, ({value})::text, NULL::numeric, NULL::numeric, count(here.id), count(*) "
        f'FROM {people} GROUP BY 2 ORDER BY count(*) DESC, (({value})::text) COLLATE "C" LIMIT {VALUES})'
    )


def value_sql(place: int, spec: FieldSpec, params: dict[str, Any], *, alias: str = "m") -> str:
    """The value of a field, of ``contacts_contact c`` or of the related row ``alias``. Names of tables and columns come
    from code; keys of custom fields are bound under ``key<place>``."""
    if spec.column:
        value = f"{alias}.{spec.column}" if spec.table else f"c.{spec.column}"
        if spec.digits is not None:
            return f"({value}::numeric / {10**spec.digits})"
        return f"nullif({value}, '')" if spec.type is FieldType.TEXT else value
    params[f"key{place}"] = spec.attribute
    key = f"%(key{place})s"
    # What was stored under an earlier type of the field counts as missing.
    kind, get = {
        FieldType.NUMBER: ("number", f"(c.attributes ->> {key})::numeric"),
        FieldType.BOOLEAN: ("boolean", f"c.attributes ->> {key}"),
        FieldType.CHOICES: ("array", f"c.attributes -> {key}"),
    }.get(spec.type, ("string", f"nullif(c.attributes ->> {key}, '')"))
    return f"CASE WHEN jsonb_typeof(c.attributes -> {key}) = '{kind}' THEN {get} END"


def _numbers(place: int, value: str, people: str) -> str:
    """Fifths of everyone who has a number; equal cuts fall together."""
    return (
        f"(WITH v AS MATERIALIZED (SELECT ({value})::numeric AS value, here.id FROM {people}), "
        "cuts AS (SELECT array_agg(DISTINCT at ORDER BY at) AS at FROM unnest((SELECT percentile_disc("
        f"ARRAY[{', '.join(map(str, FIFTHS))}]) WITHIN GROUP (ORDER BY value) FROM v WHERE value IS NOT NULL)) at) "
        f"SELECT {place}, width_bucket(value, (SELECT at FROM cuts))::text, min(value), max(value), "
        "count(id), count(*) FROM v GROUP BY 2)"
    )


def _age(value: str) -> str:
    steps = " ".join(f"WHEN ({value}) >= %(at)s - interval '{days} days' THEN {days}" for days in AGES)
    return f"CASE WHEN ({value}) IS NULL THEN NULL {steps} ELSE 0 END"


# ——— reading what came back

# What people did is known to the end: without an order they have no number of orders, not an unknown one.
_OF_DOINGS: Final = frozenset({"commerce_contactfacts", "audience_rfm", "audience_lifecycle", "last_activity_at"})


def _profile(key: str, found: list[tuple[Any, ...]], catalogue: Catalogue, language: str, n: int) -> Profile:
    if key == TAGS:
        labels = {str(tag.id): tag.label.text(language) for tag in catalogue.tags.values()}
        named = [
            (value, labels.get(value, value), here, everyone, h, e) for value, _l, _h, here, everyone, h, e in found
        ]
        title, several = _in(language, "Tags"), True
    else:
        spec = catalogue.fields[key]
        named = [
            (value or "", _label(spec, value, low, high, language), here, everyone, h, e)
            for value, low, high, here, everyone, h, e in found
        ]
        title, several = spec.label.text(language), spec.type is FieldType.CHOICES
    slices = [Slice(key, value, label, here, h, everyone, e) for value, label, here, everyone, h, e in named]
    there = (item for item in slices if item.here or item.everyone)
    ranked = sorted(there, key=lambda item: (-abs(item.weight), -item.weight))
    shown = ranked[:n]
    rest = ranked[n:]
    if rest and not several:
        first = rest[0]
        others = replace(
            first,
            value="",
            label=_in(language, "others"),
            here=sum(item.here for item in rest),
            everyone=sum(item.everyone for item in rest),
        )
        shown = [*shown, others]
    return Profile(key, title, tuple(shown), several)


def _label(spec: FieldSpec, value: str | None, low: Any, high: Any, language: str) -> str:
    if value is None:
        return _in(language, "none" if spec.table in _OF_DOINGS or spec.key in _OF_DOINGS else "not known")
    match spec.type:
        case FieldType.BOOLEAN:
            return _in(language, "yes" if value == "true" else "no")
        case FieldType.CHOICE | FieldType.CHOICES:
            labels = {str(choice.value): choice.label for choice in spec.choices}
            return labels[value].text(language) if value in labels else value
        case FieldType.NUMBER:
            shown = [f"{bound:,.2f}".rstrip("0").rstrip(".") for bound in (low, high)]
            return shown[0] if low == high else "–".join(shown)
        case FieldType.TIME:
            return _age_label(int(value), language)
        case _:
            return name_of_code(spec.names, value, language)


def _age_label(days: int, language: str) -> str:
    with override(language):
        if not days:
            return _("longer ago")
        shorter = max((age for age in AGES if age < days), default=0)
        if not shorter:
            return ngettext("the last %(days)d day", "the last %(days)d days", days) % {"days": days}
        return _("%(from)d to %(to)d days ago") % {"from": shorter, "to": days}


def _in(language: str, word: str) -> str:
    with override(language):
        words = {
            "Tags": _("Tags"), "others": _("others"), "not known": _("not known"), "none": _("none"), "yes": _("yes"),
            "no": _("no"),
        }  # fmt: skip
        return words[word]
