"""Files being made and files that count, as the writer handles them."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from hongyan.core.ids import uuid7
from hongyan.core.sql import statement, texts
from hongyan.events.history.arrays import Grouped, join
from hongyan.events.history.snapshot import file_of
from hongyan.events.history.store import Store
from hongyan.events.history.types import HistoryFile

CellKey = tuple[str, date]
LARGEST: Final = 4_000_000  # events of a file; larger ones are left alone
_EAGER: Final = 4  # a part joins when it has at most so many times the events of what is there already


@dataclass(frozen=True, slots=True)
class Part:
    """A file that counts. odd: contacts it had to leave out."""

    file: HistoryFile
    odd: tuple[int, ...]
    sha256: bytes


@dataclass(frozen=True, slots=True)
class NewPart:
    """A file that is written and does not count yet."""

    name: str
    path: str
    events: int
    row: Mapping[str, Any]  # its line in the manifest


def write_part(store: Store, name: str, month: date, grouped: Grouped) -> list[NewPart]:
    """Nothing when there is nobody in it."""
    rows = grouped.rows
    if not rows.num_rows and not grouped.odd:
        return []
    written = store.write(new_path(name, month), rows)
    low, high = (rows["contact_id"][0].as_py(), rows["contact_id"][-1].as_py()) if rows.num_rows else (0, 0)
    held = {key: [one.kinds, one.precision, one.scale] for key, one in grouped.held.items()}
    line = {
        "path": written.path, "name": name, "month": month, "rows": rows.num_rows, "events": grouped.events,
        "bytes": written.size, "sha256": written.sha256, "first": pc.min(rows["first"]).as_py() or 0,
        "last": pc.max(rows["last"]).as_py() or 0, "low": low, "high": high,
        "properties": orjson.dumps(held).decode(), "odd": list(grouped.odd),
    }  # fmt: skip
    return [NewPart(name, written.path, grouped.events, line)]


def new_path(name: str, month: date) -> str:
    """A folder a month, in it one a name: readable where the name is plain, never more than a name may be."""
    plain = re.sub(r"[^a-z0-9_]+", "-", name.lower())[:40].strip("-")
    digest = hashlib.sha256(name.encode()).hexdigest()[:10]
    return f"{month:%Y-%m}/{plain}-{digest}/{uuid7().hex}.parquet"


def parts_that_count(
    connection: psycopg.Connection[Any], names: Iterable[str] | None = None
) -> dict[CellKey, list[Part]]:
    """By cell, smallest first."""
    values = {"names": None if names is None else texts(names)}
    found: dict[CellKey, list[Part]] = {}
    for row in connection.execute(statement("hongyan.events", "history.sql", "files"), values):
        file = file_of(row)
        found.setdefault((file.name, file.month), []).append(Part(file, tuple(row[12]), bytes(row[13])))
    for parts in found.values():
        parts.sort(key=lambda part: part.file.events)
    return found


def to_join(parts: Sequence[Part], events: int) -> list[Part]:
    """Which parts (smallest first) so many new events should be joined with. Every event is copied as often as its part
    grows severalfold, so the work stays linear and a cell keeps a handful of parts."""
    taken: list[Part] = []
    for part in parts:
        size = part.file.events
        if size > _EAGER * max(events, 250) or events + size > LARGEST:
            break
        taken.append(part)
        events += size
    return taken


def load(store: Store, part: Part) -> tuple[pa.Table, Mapping[str, Any]]:
    return store.read(part.file.path), part.file.properties


def joined(store: Store, parts: Sequence[Part], more: Sequence[Grouped] = ()) -> Grouped:
    """What all hold, as one; properties that only some hold are not in the result."""
    loaded = [load(store, part) for part in parts] + [(one.rows, one.held) for one in more]
    keys = sorted(set.intersection(*(set(held) for _, held in loaded)))
    odd = {pk for part in parts for pk in part.odd} | {pk for one in more for pk in one.odd}
    whole = join([(rows, held) for rows, held in loaded if rows.num_rows] or loaded[:1], keys)
    return Grouped(whole.rows, whole.held, tuple(sorted(odd)))
