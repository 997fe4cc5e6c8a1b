"""The population as views of a DuckDB connection."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import pyarrow as pa

from hongyan.audience.population.types import Column, ColumnKind, PeopleSnapshot, Rows
from hongyan.events.history.store import Store, open_store

_COUNTING: Final = "ANTI JOIN people_stale USING (contact_id)"


class Duck(Protocol):
    """A connection of DuckDB."""

    def execute(self, query: str) -> Any: ...

    def register(self, view_name: str, python_object: Any) -> Any: ...


def place() -> Store:
    return open_store("people")


def open_people(duck: Duck, snapshot: PeopleSnapshot, columns: Sequence[str], *, store: Store | None = None) -> None:
    """Makes the view ``people`` with ``contact_id`` and these columns, and ``"objects:<key>"`` with all columns that
    its files and fresh rows have in common, for each kind the snapshot was asked for."""
    store = store or place()
    duck.register("people_stale", pa.table({"contact_id": snapshot.stale}))
    counting = _COUNTING if len(snapshot.stale) else ""
    _view(duck, "people", snapshot.people, columns, store, counting)
    for key, rows in snapshot.objects.items():
        held = [set(file.columns) for file in rows.files]
        common = [name for name in rows.fresh_columns if all(name in names for names in held)]
        _view(duck, f"objects:{key}", rows, common, store, counting)


def _view(  # noqa: PLR0917  two calls, beside each other
    duck: Duck, name: str, rows: Rows, columns: Sequence[str], store: Store, counting: str
) -> None:
    duck.register(f"fresh_{name}", rows.fresh)
    types = _widest(rows, columns)
    parts = [f"SELECT {_list(columns, types)} FROM {_quoted(f'fresh_{name}')}"]
    for files, _ in rows.portions(columns):
        paths = ", ".join("'" + store.local(file.path).replace("'", "''") + "'" for file in files)
        parts.append(f"SELECT {_list(columns, types)} FROM read_parquet([{paths}]) {counting}")
    duck.execute(f"CREATE OR REPLACE TEMP VIEW {_quoted(name)} AS {' UNION ALL '.join(parts)}").fetchall()


def _widest(rows: Rows, columns: Sequence[str]) -> dict[str, str]:
    """Types of number columns that hold every file's numbers. DuckDB has no wider decimal than 38 digits."""
    found = {}
    for name in columns:
        held: list[Column] = [rows.fresh_columns[name], *(file.columns[name] for file in rows.files)]
        if held[0].kind is ColumnKind.NUMBER:
            scale = max(column.scale for column in held)
            whole = max(column.precision - column.scale for column in held)
            found[name] = f"DECIMAL({min(38, whole + scale)}, {scale})"
    return found


def _list(columns: Sequence[str], types: Mapping[str, str]) -> str:
    parts = ["contact_id"]
    for name in columns:
        quoted = _quoted(name)
        parts.append(f"CAST({quoted} AS {types[name]}) AS {quoted}" if name in types else quoted)
    return ", ".join(parts)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
