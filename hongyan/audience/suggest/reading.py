"""The values of features for a sample of people, as a matrix; and what there is to make features of."""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hongyan.audience import rows
from hongyan.audience.compiler.catalogue import Catalogue, FieldType
from hongyan.audience.compiler.nodes import in_list
from hongyan.audience.insight.composition import value_sql
from hongyan.audience.insight.members import Ids
from hongyan.audience.suggest.features import LONG_AGO, NEVER, PART_WINDOWS, PARTING, WINDOWS, Feature, Kind
from hongyan.core.sql import statement

Matrix = NDArray[np.float32]
EVENTS: Final = 24  # names: the commonest of a sample
VALUES: Final = 8  # of one text field, or one property of an event
KINDS: Final = 60  # values of properties, over all events
KIND_PEOPLE: Final = 6_000  # of the sample, by whom it is judged which values are common


def common_events(sample: Ids, *, now: datetime) -> list[str]:
    text = statement("hongyan.audience", "suggest.sql", "common_events")
    return [row[0] for row in rows.query(text, {"ids": sample.tolist(), "now": now, "n": EVENTS})]


def common_values(sample: Ids, catalogue: Catalogue) -> dict[str, list[str]]:
    """Of the text fields that suggest values: what at least one in a hundred of the sample has."""
    specs = [spec for spec in catalogue.fields.values() if spec.type is FieldType.TEXT and spec.suggests]
    if not specs:
        return {}
    params: dict[str, Any] = {"ids": sample.tolist(), "least": max(1, sample.size // 100), "n": VALUES}
    parts = []
    for place, spec in enumerate(specs):
        joined = f"LEFT JOIN {spec.table} m ON m.{spec.theirs} = c.{spec.ours}" if spec.table else ""
        parts.append(
            f"(SELECT {place}, ({value_sql(place, spec, params)})::text AS value, count(*) "
            f"FROM contacts_contact c {joined} "
            "WHERE c.id = ANY(%(ids)s::bigint[]) GROUP BY 2 "
            "HAVING count(*) >= %(least)s ORDER BY 3 DESC LIMIT %(n)s)"
        )
    found: dict[str, list[str]] = {spec.key: [] for spec in specs}
    for place, value, _count in rows.query(" UNION ALL ".join(parts), params):
        if value:
            found[specs[place].key].append(value)
    return found


def common_kinds(
    sample: Ids, names: Sequence[str], catalogue: Catalogue, *, now: datetime
) -> list[tuple[str, str, str]]:
    """Values of properties by which these events part: what at least one in a hundred of (some of) the sample has done.
    Sealed properties are never among them."""
    asked = [(name, key) for name in names for key in PARTING if _may_part(name, key, catalogue)]
    if not asked:
        return []
    few = sample[:: max(1, sample.size // KIND_PEOPLE)]
    params = {**_of_properties(few, asked, now), "least": max(2, few.size // 100), "n": KINDS}
    text = statement("hongyan.audience", "suggest.sql", "common_kinds")
    found: list[tuple[str, str, str]] = []
    held: Counter[tuple[str, str]] = Counter()
    for name, key, value, _people in rows.query(text, params):
        held[name, key] += 1
        if held[name, key] <= VALUES:
            found.append((name, key, value))
    return found


def _may_part(name: str, key: str, catalogue: Catalogue) -> bool:
    spec = catalogue.events.get(name)
    if spec is None or spec.properties is None:
        return False  # too many properties to know which are sealed
    among = in_list(key)
    known = spec.properties.get(among[0] if among else key)
    return known is not None and not known.sealed and (among is not None or FieldType.TEXT in known.kinds)


def _of_properties(sample: Ids, asked: Sequence[tuple[str, str]], now: datetime) -> dict[str, Any]:
    parts = [(name, *(among if (among := in_list(key)) else ("", key)), key) for name, key in asked]
    names, lists, keys, whole = (list(column) for column in zip(*parts, strict=True))
    return {"ids": sample.tolist(), "now": now, "names": names, "lists": lists, "keys": keys, "whole": whole}


def matrix(features: Sequence[Feature], sample: Ids, catalogue: Catalogue, *, now: datetime) -> Matrix:
    """Row per contact of the sample (ascending ids), column per feature."""
    made = np.zeros((sample.size, len(features)), dtype=np.float32)
    _counts(features, sample, made, now)
    _kinds(features, sample, made, now)
    _fields(features, sample, catalogue, made, now)
    _memberships(features, sample, catalogue, made)
    return made


def _counts(features: Sequence[Feature], sample: Ids, made: Matrix, now: datetime) -> None:
    columns = {
        (item.event, item.days): place
        for place, item in enumerate(features)
        if item.kind is Kind.COUNT and not item.part
    }
    if not columns:
        return
    text = statement("hongyan.audience", "suggest.sql", "event_counts")
    params = {"ids": sample.tolist(), "names": sorted({name for name, _days in columns}), "now": now}
    for contact_id, name, *numbers in rows.query(text, params):
        row = int(np.searchsorted(sample, contact_id))
        for days, number in zip(WINDOWS, numbers, strict=True):
            place = columns.get((name, days))
            if place is not None:
                made[row, place] = number


def _kinds(features: Sequence[Feature], sample: Ids, made: Matrix, now: datetime) -> None:
    columns: dict[tuple[str, str, str, int], int] = {
        (item.event, item.part["property"], item.part["value"], item.days): place
        for place, item in enumerate(features)
        if item.kind is Kind.COUNT and item.part
    }
    if not columns:
        return
    asked = sorted({(name, key) for name, key, _value, _days in columns})
    params = _of_properties(sample, asked, now) | {"values": sorted({value for _n, _k, value, _d in columns})}
    text = statement("hongyan.audience", "suggest.sql", "kind_counts")
    for contact_id, name, key, value, *numbers in rows.query(text, params):
        for days, number in zip(PART_WINDOWS, numbers, strict=True):
            place = columns.get((name, key, value, days))
            if place is not None:
                made[int(np.searchsorted(sample, contact_id)), place] = number


def _fields(features: Sequence[Feature], sample: Ids, catalogue: Catalogue, made: Matrix, now: datetime) -> None:
    """Every field that a feature speaks of, read once for the whole sample."""
    places: dict[str, list[int]] = {}
    for place, item in enumerate(features):
        key = item.key or (item.part.get("field") if item.kind is Kind.FLAG else None)
        if key:
            places.setdefault(key, []).append(place)
    if not places:
        return
    params: dict[str, Any] = {"ids": sample.tolist()}
    joins: dict[tuple[str, str, str], str] = {}
    columns = []
    for number, key in enumerate(places):
        spec = catalogue.fields[key]
        alias = joins.setdefault((spec.table, spec.theirs, spec.ours), f"j{len(joins)}") if spec.table else ""
        value = value_sql(number, spec, params, alias=alias)
        columns.append(f"({value})::text" if spec.type is not FieldType.TIME else value)
    joined = " ".join(
        f"LEFT JOIN {table} {alias} ON {alias}.{theirs} = c.{ours}" for (table, theirs, ours), alias in joins.items()
    )
    text = (
        f"SELECT c.id, {', '.join(columns)} FROM contacts_contact c {joined} "
        "WHERE c.id = ANY(%(ids)s::bigint[]) ORDER BY c.id"
    )
    for contact_id, *values in rows.query(text, params):
        row = int(np.searchsorted(sample, contact_id))
        for value, spots in zip(values, places.values(), strict=True):
            for place in spots:
                made[row, place] = _number(features[place], value, now)


def _number(feature: Feature, value: Any, now: datetime) -> float:
    match feature.kind:
        case Kind.NUMBER:
            return NEVER if value is None else float(value)
        case Kind.AGO:
            # A time to come is not within the last days: as if it had never been.
            if value is None or value > now:
                return LONG_AGO
            return -float(max(1, math.ceil((now - value).total_seconds() / 86_400)))
        case _:
            wanted = feature.part["value"]
            text = {True: "true", False: "false"}.get(wanted, str(wanted)) if isinstance(wanted, bool) else str(wanted)
            if feature.part["op"] == "contains":
                return float(value is not None and f'"{text}"' in value)
            return float(value == text)


def _memberships(features: Sequence[Feature], sample: Ids, catalogue: Catalogue, made: Matrix) -> None:
    tags = {catalogue.tags[item.part["tag"]].id: place for place, item in enumerate(features) if "tag" in item.part}
    lists = {catalogue.lists[item.part["list"]].id: place for place, item in enumerate(features) if "list" in item.part}
    if not tags and not lists:
        return
    text = statement("hongyan.audience", "suggest.sql", "memberships")
    for kind, contact_id, number in rows.query(text, {"ids": sample.tolist()}):
        place = (tags if kind == 0 else lists).get(number)
        if place is not None:
            made[int(np.searchsorted(sample, contact_id)), place] = 1
