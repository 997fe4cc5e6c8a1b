"""Which columns the catalogue asks for, and how PostgreSQL says their values.

The expressions are those of the compiler (``emit_values.Comparisons.getter``): a value counts as missing here exactly
where it does there.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from hongyan.audience.compiler.catalogue import Catalogue, FieldSpec, FieldType
from hongyan.audience.compiler.emit_values import Comparisons, spelled
from hongyan.audience.population.types import ColumnKind, field_column
from hongyan.core.sql import SQL

PEOPLE, OBJECT = "c", "o"  # aliases of the rows that own the fields
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A column to be held. signature: of its definition; a file's column counts only under the same one."""

    name: str
    kind: ColumnKind
    spec: FieldSpec
    signature: str


def of_people(catalogue: Catalogue) -> dict[str, Wanted]:
    return _columns(catalogue.fields.values())


def of_objects(catalogue: Catalogue, type_key: str) -> dict[str, Wanted]:
    found = catalogue.objects[type_key].fields
    # An object's spec goes by a key of its own type; the key in the mapping is what conditions say.
    return _columns(found.values(), {id(spec): key for key, spec in found.items()})


def _columns(specs: Iterable[FieldSpec], keys: Mapping[int, str] | None = None) -> dict[str, Wanted]:
    """By column name. Readers know names only without case: keys that differ by case alone are left out."""
    named = [((keys or {}).get(id(spec), spec.key), spec) for spec in specs if spec.type is not FieldType.SEALED]
    alike = Counter(key.lower() for key, _ in named)
    found = [
        Wanted(field_column(key), kind_of(spec), spec, signature_of(spec))
        for key, spec in named
        if alike[key.lower()] == 1
    ]
    return {column.name: column for column in sorted(found, key=lambda column: column.name)}


def kind_of(spec: FieldSpec) -> ColumnKind:
    match spec.type:
        case FieldType.NUMBER:
            return ColumnKind.NUMBER
        case FieldType.BOOLEAN:
            return ColumnKind.BOOLEAN
        case FieldType.CHOICES:
            return ColumnKind.TEXTS
        case FieldType.TIME if spec.column:
            return ColumnKind.INSTANT
        case FieldType.CHOICE if _numbered(spec):
            return ColumnKind.NUMBER
        case _:
            return ColumnKind.TEXT


def _numbered(spec: FieldSpec) -> bool:
    return all(isinstance(choice.value, int) for choice in spec.choices)


def signature_of(spec: FieldSpec) -> str:
    """Of everything that decides how the stored value is read."""
    parts = (
        kind_of(spec).value, spec.type.value, spec.column, spec.attribute, spec.table, spec.theirs, spec.ours,
        str(spec.digits), spec.currency,
    )  # fmt: skip
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:16]


def selection(columns: Mapping[str, Wanted], owner: str) -> SQL:
    """The values of these columns for COPY, each after a comma. owner: alias of the row."""
    values = Comparisons(Catalogue(), _EPOCH)
    parts = []
    for column in columns.values():
        row = table_alias(column.spec) if column.spec.table else owner
        parts.append(_as_copied(column, spelled(values.getter(column.spec, row)())))
    return SQL("".join(f", {part}" for part in parts), values.params)


def _as_copied(column: Wanted, value: str) -> str:
    if column.kind is ColumnKind.INSTANT:
        return f"(extract(epoch FROM {value}) * 1000000)::bigint"
    if column.spec.type is FieldType.TEXT and column.spec.column:
        return f"nullif({value}, '')"  # an empty text is as good as none
    return value


def table_alias(spec: FieldSpec) -> str:
    return f"m_{spec.table}_{spec.ours}"


def joins(columns: Mapping[str, Wanted], owner: str) -> str:
    """LEFT JOINs of the tables the columns stand in; each has at most one row for a contact."""
    specs = [column.spec for column in columns.values()]
    tables = {(spec.table, spec.theirs, spec.ours): table_alias(spec) for spec in specs}
    return "".join(
        f"\n  LEFT JOIN {table} {alias} ON {alias}.{theirs} = {owner}.{ours}"
        for (table, theirs, ours), alias in sorted(tables.items())
        if table
    )
