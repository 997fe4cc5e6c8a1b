"""People's events as files of a history, cut apart at random as a writer might have left them."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from hongyan.audience.compiler.evaluate import Happened
from hongyan.audience.engines.compare import micros
from hongyan.events.history.arrays import group, value_column
from hongyan.events.history.store import Store
from hongyan.events.history.types import HistoryFile, HistorySnapshot

Row = tuple[int, int, Happened]  # contact, event id, what happened


@dataclass(frozen=True, slots=True)
class History:
    snapshot: HistorySnapshot
    store: Store


def write(rows: Sequence[Row], keys: Sequence[str], folder: Path, chance: random.Random) -> History:
    """Each event stands in one of two files of its month or in the tail. Stale contacts stand in the tail with all they
    did, and in files with what is no longer so."""
    everybody = sorted({contact_id for contact_id, _, _ in rows})
    stale = [contact_id for contact_id in everybody if chance.random() < 0.15]
    tail = [row for row in rows if row[0] in stale or chance.random() < 0.2]
    filed = [row for row in rows if row[0] in stale or row not in tail]
    parts: dict[tuple[str, date, int], list[Row]] = {}
    for row in filed:
        at = row[2].at
        parts.setdefault((row[2].name, date(at.year, at.month, 1), chance.randrange(2)), []).append(row)
    files = [
        _file(number, name, month, some, keys, folder) for number, ((name, month, _), some) in enumerate(parts.items())
    ]
    return History(
        HistorySnapshot(
            files=[file for file in files if file is not None],
            stale=pa.array(stale, pa.int64()),
            tail=_table(tail, keys),
            tx=1,
            lag_s=0.0,
        ),
        Store(pafs.LocalFileSystem(), str(folder)),
    )


def _table(rows: Sequence[Row], keys: Sequence[str]) -> pa.Table:
    values: dict[str, pa.Array] = {
        "contact_id": pa.array([row[0] for row in rows], pa.int64()),
        "name": pa.array([row[2].name for row in rows], pa.string()),
        "at_us": pa.array([micros(row[2].at) for row in rows], pa.int64()),
        "event_id": pa.array([row[1] for row in rows], pa.int64()),
    }
    for key in keys:
        values[value_column(key)] = pa.array([_json(row[2].properties, key) for row in rows], pa.string())
    return pa.table(values)


def _json(properties: Mapping[str, Any], key: str) -> str | None:
    """As PostgreSQL writes jsonb: numbers without exponent."""
    if key not in properties:
        return None
    value = properties[key]
    if isinstance(value, float | Decimal):
        return f"{Decimal(str(value)):f}"
    return json.dumps(value, ensure_ascii=False)


def _file(  # noqa: PLR0917
    number: int, name: str, month: date, rows: Sequence[Row], keys: Sequence[str], folder: Path
) -> HistoryFile | None:
    grouped = group(_table(rows, keys), keys)
    table = grouped.rows
    if not table.num_rows:
        return None
    path = f"{number}.parquet"
    pq.write_table(table, folder / path)
    low, high = pc.min_max(table["contact_id"]).as_py().values()
    return HistoryFile(
        number, path, name, month, table.num_rows, grouped.events, 1,
        pc.min(table["first"]).as_py(), pc.max(table["last"]).as_py(), low, high, grouped.held,
    )  # fmt: skip
