"""Writing the files: chunk by chunk, each in a transaction of its own that shows the new file and retires the old one.

A crash leaves what was published; a file that nobody published is found and removed by ``sweep``.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction
from psycopg import Connection

from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.models_population import PopulationFile, PopulationState
from hongyan.audience.population import delta, reading
from hongyan.audience.population.columns import Wanted, of_objects, of_people
from hongyan.audience.population.manifest import Entry, Manifest, described, manifest
from hongyan.audience.population.people import place
from hongyan.audience.population.reading import Chunk, Ids, Read, chunk_of
from hongyan.contacts import touched
from hongyan.core import clock
from hongyan.core.ids import uuid7
from hongyan.core.sql import numbers, statement
from hongyan.events.history.errors import StoreProblem
from hongyan.events.history.store import Store

log = logging.getLogger("hongyan.population")
READER: Final = "population"
_LOCK: Final = 7_105_041
_WHOLE: Final = 0.3  # of a chunk touched: reading all of it is cheaper than putting it together
_KEPT: Final = timedelta(minutes=15)  # a retired file, for questions that are still reading
_ALONE: Final = timedelta(hours=1)  # a file nobody published: its writer is dead by then
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Passed:
    chunks: int = 0
    contacts: int = 0
    busy: bool = False  # another writer was at it


@dataclass(frozen=True, slots=True)
class _Ground:
    """One transaction of the writer."""

    link: Connection[Any]
    store: Store
    state: Manifest
    catalogue: Catalogue
    people: Mapping[str, Wanted]
    types: Mapping[int, str]  # kinds of objects: id → key
    anew: bool  # nothing of the old files is used


@contextmanager
def _ground(store: Store, catalogue: Catalogue, *, anew: bool) -> Iterator[_Ground | None]:
    """A transaction with one view of everything; None while another writer is at work. catalogue: of the pass. Should a
    field be redefined meanwhile, the signature tells: no question uses the column, the next pass writes it anew."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute(_sql("lock"), {"key": _LOCK})
            free = cursor.fetchone()[0]
        # The driver's own connection, which COPY and Arrow need.
        link = cast("Connection[Any]", connection.connection)
        state = manifest(link) if free else None
        if state is None:
            yield None
            return
        types = {spec.id: key for key, spec in catalogue.objects.items()}
        yield _Ground(link, store, state, catalogue, of_people(catalogue), types, anew)


def begin() -> None:
    """Make sure there is a manifest of this cluster's transactions; what another cluster wrote is thrown away."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT system_identifier::text FROM pg_control_system()")
        cluster = cursor.fetchone()[0]
        state = PopulationState.objects.select_for_update().filter(pk=1).first()
        if state is not None and state.cluster == cluster and touched.reader_place(READER) is not None:
            return
        # Its place in the change log first: nothing that is touched from here on may be pruned.
        touched.reader_end(READER)
        tx = touched.reader_begin(READER).tx
        PopulationFile.objects.filter(retired_at=None).update(retired_at=clock.now())
        PopulationState.objects.update_or_create(pk=1, defaults={"tx": tx, "cluster": cluster, "built_at": None})


def copy_pass(store: Store | None = None, *, progress: Progress | None = None, anew: bool = False) -> Passed:
    """Bring the files up to now: chunks whose contacts were touched or whose columns are not those wanted are written,
    the others are as good as new. anew: all are written from PostgreSQL; until then the old ones answer. Returns what
    was written."""
    store = store or place()
    begin()
    catalogue = catalogue_now()
    with _ground(store, catalogue, anew=anew) as ground:
        if ground is None:
            return Passed(busy=True)
        dirty = _dirty(ground)
        highest = _one(ground.link, "highest")
        every = range(chunk_of(highest) + 1) if anew or not ground.state.built else ()
        due = sorted(dirty.union(ground.state.people if anew else (), _lacking(ground, every)))
        _mark_clean(ground, due)
        began = ground.state.horizon
    written = contacts = 0
    for done, chunk in enumerate(due):
        with _ground(store, catalogue, anew=anew) as ground:
            if ground is None:
                return Passed(written, contacts, busy=True)
            contacts += _rewrite(ground, chunk)
        written += 1
        if progress is not None:
            progress(done + 1, len(due))
    _finish(began)
    return Passed(written, contacts)


def _lacking(ground: _Ground, chunks: Iterable[int]) -> list[int]:
    return [chunk for chunk in chunks if chunk not in ground.state.people]


def _dirty(ground: _Ground) -> set[int]:
    found = set(_touched(ground))
    return found.union(chunk for chunk, entry in ground.state.people.items() if not _as_wanted(ground, chunk, entry))


def _touched(ground: _Ground) -> dict[int, set[int]]:
    """By chunk, who was touched since its file."""
    found: dict[int, set[int]] = {}
    values = {"tx": str(ground.state.oldest), "seen": None, "seen_active": None, "activity": True}
    with ground.link.cursor() as cursor:
        cursor.execute(_sql("touched").encode(), values)
        for contact_id, _active, tx in cursor:
            chunk = chunk_of(contact_id)
            entry = ground.state.people.get(chunk)
            if tx >= (ground.state.tx if entry is None else entry.tx):
                found.setdefault(chunk, set()).add(contact_id)
    return found


def _as_wanted(ground: _Ground, chunk: int, entry: Entry) -> bool:
    if not ground.types.keys() <= entry.types or not _same(entry, ground.people):
        return False
    for type_id, key in ground.types.items():
        held = ground.state.objects.get(type_id, {}).get(chunk)
        if held is not None and not _same(held, of_objects(ground.catalogue, key)):
            return False
    return True


def _same(entry: Entry, wanted: Mapping[str, Wanted]) -> bool:
    return all(entry.signatures.get(name) == column.signature for name, column in wanted.items())


def _mark_clean(ground: _Ground, due: Iterable[int]) -> None:
    tx = ground.state.horizon
    with ground.link.cursor() as cursor:
        cursor.execute(_sql("move_clean").encode(), {"tx": tx, "dirty": numbers(due)})


def _rewrite(ground: _Ground, chunk: int) -> int:
    """Publish the chunk as it is in this transaction's view. Returns how many rows it has."""
    now = clock.now()
    before = ground.state.people.get(chunk)
    ids = _touched(ground).get(chunk, set())
    read = _chunk(ground, chunk, before, ids)
    PopulationFile.objects.filter(chunk=chunk, retired_at=None).update(retired_at=now)
    types = frozenset(ground.types)
    if read.rows.num_rows:
        _publish(ground, (chunk, None), read, ground.people, types)
    for type_id, key in ground.types.items():
        wanted = of_objects(ground.catalogue, key)
        things = reading.objects(ground.link, wanted, type_id, Chunk(chunk))
        if things.rows.num_rows:
            _publish(ground, (chunk, type_id), things, wanted)
    return int(read.rows.num_rows)


def _chunk(ground: _Ground, chunk: int, before: Entry | None, ids: set[int]) -> Read:
    """Old rows of those nobody touched and new ones of the others, or all anew where that is less work."""
    usable = before is not None and not ground.anew and not before.odd and _same(before, ground.people)
    if before is None or not usable or len(ids) > before.file.rows * _WHOLE:
        return reading.people(ground.link, ground.people, Chunk(chunk))
    names = ["contact_id", *ground.people, *reading.SETS]
    try:
        rows = ground.store.read(before.file.path, names)
    except (OSError, StoreProblem):  # somebody removed it: nothing is lost but the copy
        return reading.people(ground.link, ground.people, Chunk(chunk))
    kept = rows.filter(pc.invert(pc.is_in(rows["contact_id"], pa.array(ids, pa.int64()))))
    held = {name: before.file.columns[name] for name in names[1:]}
    new = reading.people(ground.link, ground.people, Ids(sorted(ids)))
    found = delta.joined([Read(kept, held), new])
    return Read(found.rows.sort_by("contact_id"), found.columns, found.odd)


def _publish(
    ground: _Ground,
    of: tuple[int, int | None],
    read: Read,
    wanted: Mapping[str, Wanted],
    types: frozenset[int] = frozenset(),
) -> None:
    chunk, type_id = of
    kind = "contacts" if type_id is None else f"objects-{type_id}"
    written = ground.store.write(f"{chunk:06d}/{kind}-{uuid7().hex}.parquet", read.rows)
    PopulationFile.objects.create(
        path=written.path,
        chunk=chunk,
        type_id=type_id,
        tx=ground.state.horizon,
        rows=read.rows.num_rows,
        bytes=written.size,
        sha256=written.sha256,
        columns=described(read, wanted, types),
    )


def _finish(began: int) -> None:
    """Everything was written once, so files can answer. The change log is needed from the oldest file on."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_sql("after_pass"), {"now": clock.now(), "tx": began})
            cursor.execute(_sql("needed_from"))
            tx = cursor.fetchone()[0]
        touched.reader_move(READER, touched.Cursor(tx, 0))


def forget_everything() -> None:
    """For a database that was replaced by an older one: its manifest may name files that are long gone."""
    with transaction.atomic():
        touched.reader_end(READER)
        PopulationState.objects.all().delete()
        PopulationFile.objects.all().delete()


def sweep(store: Store | None = None) -> int:
    """Remove files that were retired a while ago, and those nobody ever published. Returns how many."""
    store = store or place()
    now = clock.now()
    old = list(PopulationFile.objects.filter(retired_at__lt=now - _KEPT))
    for row in old:
        store.remove(row.path)
        row.delete()
    known = set(PopulationFile.objects.values_list("path", flat=True))
    alone = [found.path for found in store.files() if found.path not in known and found.at < now - _ALONE]
    for path in alone:
        store.remove(path)
    return len(old) + len(alone)


def _one(link: Connection[Any], name: str) -> int:
    with link.cursor() as cursor:
        cursor.execute(_sql(name).encode())
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _sql(name: str) -> str:
    return statement("hongyan.audience", "population.sql", name)
