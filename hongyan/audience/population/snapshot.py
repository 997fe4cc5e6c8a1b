"""What a question about people reads: files and fresh rows, as of one PostgreSQL snapshot."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from psycopg import Connection

from hongyan.audience.compiler.catalogue import Catalogue, FieldType
from hongyan.audience.population import delta, reading
from hongyan.audience.population.columns import Wanted, of_objects, of_people
from hongyan.audience.population.manifest import Entry, Manifest, manifest
from hongyan.audience.population.types import NotHeld, PeopleFile, PeopleSnapshot, Rows, field_column

ACTIVITY = "last_activity_at"  # the one field that mere activity changes


def snapshot(
    connection: Connection[Any],
    catalogue: Catalogue,
    *,
    fields: Iterable[str] = (),
    objects: Mapping[str, Sequence[str]] | None = None,
) -> PeopleSnapshot:
    """connection: in a REPEATABLE READ transaction, or all that is read may not be of one moment. fields: keys of the
    catalogue's fields the question is about; tags, lists, consents and sealed fields are always there. objects: kinds
    of objects it is about, each with the keys of their fields.

    Raises NotHeld when files cannot answer all of it exactly.
    """
    state = manifest(connection)
    if state is None or not state.built:
        raise NotHeld("nothing is built yet")
    every = of_people(catalogue)
    asked = _asked(every, _open_fields(catalogue, fields))
    for entry in state.people.values():
        entry.require(asked)
    found = delta.delta(connection, state, every, activity=ACTIVITY in {column.spec.key for column in asked.values()})
    _exact(found.fresh, asked)
    people = Rows(_files(state.people.values()), found.fresh.rows, found.fresh.columns)
    things = _Things(connection, catalogue, state, found.stale)
    kinds = {key: things.of(key, keys) for key, keys in (objects or {}).items()}
    ids = [file.id for rows in (people, *kinds.values()) for file in rows.files]
    return PeopleSnapshot(people, kinds, found.stale, tuple(ids))


def _open_fields(catalogue: Catalogue, keys: Iterable[str]) -> list[str]:
    return [key for key in keys if catalogue.fields[key].type is not FieldType.SEALED]


def _asked(every: Mapping[str, Wanted], keys: Iterable[str]) -> dict[str, Wanted]:
    names = [field_column(key) for key in keys]
    for name in names:
        if name not in every:
            raise NotHeld(name)
    return {name: every[name] for name in names}


def _exact(read: reading.Read, asked: Mapping[str, Wanted]) -> None:
    for name in asked:
        if name in read.odd:
            raise NotHeld(name)


def _files(entries: Iterable[Entry]) -> list[PeopleFile]:
    return [entry.file for entry in entries]


@dataclass(frozen=True, slots=True)
class _Things:
    connection: Connection[Any]
    catalogue: Catalogue
    state: Manifest
    stale: pa.Int64Array

    def of(self, key: str, keys: Sequence[str]) -> Rows:
        spec = self.catalogue.objects[key]
        every = of_objects(self.catalogue, key)
        asked = _asked(every, [one for one in keys if spec.fields[one].type is not FieldType.SEALED])
        if any(spec.id not in entry.types for entry in self.state.people.values()):
            raise NotHeld(key)  # written when this kind was not known
        entries = self.state.objects.get(spec.id, {})
        for entry in entries.values():
            entry.require(asked)
        fresh = reading.objects(self.connection, every, spec.id, reading.Ids(self.stale.to_pylist()))
        _exact(fresh, asked)
        return Rows(_files(entries.values()), fresh.rows, fresh.columns)
