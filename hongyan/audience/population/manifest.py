"""Which files count, read in the asker's snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from psycopg import Connection

from hongyan.audience.population.columns import Wanted
from hongyan.audience.population.reading import Read
from hongyan.audience.population.types import Column, ColumnKind, NotHeld, PeopleFile
from hongyan.core.sql import statement


@dataclass(frozen=True, slots=True)
class Entry:
    """A file with what is known of it. types: the kinds of objects the chunk was asked for (of files of people)."""

    file: PeopleFile
    type_id: int | None
    tx: int
    signatures: Mapping[str, str]
    odd: frozenset[str]
    types: frozenset[int]

    def require(self, wanted: Mapping[str, Wanted]) -> None:
        """Raises NotHeld unless the file has these columns, of the same definitions and exactly."""
        for name, column in wanted.items():
            if self.signatures.get(name) != column.signature or name in self.odd:
                raise NotHeld(name)


@dataclass(frozen=True, slots=True)
class Manifest:
    """tx: chunks without a file were empty for all transactions below. here: the snapshot, as PostgreSQL writes it.
    writing: the asker's transaction has written something itself."""

    tx: int
    built: bool
    horizon: int
    here: str
    writing: bool
    people: Mapping[int, Entry]  # by chunk
    objects: Mapping[int, Mapping[int, Entry]]  # by type, by chunk

    @property
    def oldest(self) -> int:
        return min([self.tx, *(entry.tx for entry in self.people.values())])


# By path: a restored database gives numbers a second time.
_parsed: dict[str, tuple[Mapping[str, Column], Mapping[str, str], frozenset[str], frozenset[int]]] = {}
_MOST: Final = 10_000


def manifest(link: Connection[Any]) -> Manifest | None:
    """None: nothing was ever written, or what was belongs to another cluster's transactions (a restored database)."""
    with link.cursor() as cursor:
        cursor.execute(_sql("manifest"))
        found = cursor.fetchall()
    if not found or not found[0][2]:
        return None
    tx, built, _, horizon, here, writing = found[0][:6]
    people: dict[int, Entry] = {}
    objects: dict[int, dict[int, Entry]] = {}
    for *_, pk, path, chunk, type_id, file_tx, rows, size, columns in found:
        if pk is not None:
            entry = _entry(pk, path, chunk, type_id, file_tx, rows, size, columns)
            (people if type_id is None else objects.setdefault(type_id, {}))[chunk] = entry
    return Manifest(tx, built, horizon, here, writing, people, objects)


def _entry(pk: int, path: str, chunk: int, type_id: int | None, tx: int, rows: int, size: int, columns: Any) -> Entry:  # noqa: PLR0917
    if path not in _parsed:
        if len(_parsed) > _MOST:
            _parsed.clear()
        _parsed[path] = _opened(orjson.loads(columns) if isinstance(columns, str | bytes) else columns)
    held, signatures, odd, types = _parsed[path]
    return Entry(PeopleFile(pk, path, chunk, rows, size, held), type_id, tx, signatures, odd, types)


def described(read: Read, wanted: Mapping[str, Wanted], types: frozenset[int]) -> dict[str, Any]:
    """What the manifest keeps of a file's columns: name → kind, precision, scale, signature; and which are odd."""
    return {
        "columns": {
            name: [column.kind.value, column.precision, column.scale, wanted[name].signature if name in wanted else ""]
            for name, column in read.columns.items()
        },
        "odd": sorted(read.odd),
        "types": sorted(types),
    }


def _opened(
    said: Mapping[str, Any],
) -> tuple[Mapping[str, Column], Mapping[str, str], frozenset[str], frozenset[int]]:
    columns = {
        name: Column(ColumnKind(kind), precision, scale)
        for name, (kind, precision, scale, _) in said["columns"].items()
    }
    signatures = {name: signature for name, (*_, signature) in said["columns"].items()}
    return columns, signatures, frozenset(said["odd"]), frozenset(said["types"])


def _sql(name: str) -> Any:
    return statement("hongyan.audience", "population.sql", name)
