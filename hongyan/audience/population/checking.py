"""Whether the files say what PostgreSQL says, and writing all of them anew."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction
from psycopg import Connection

from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.models_population import PopulationFile, PopulationState
from hongyan.audience.population import delta, reading
from hongyan.audience.population.columns import Wanted, of_objects, of_people
from hongyan.audience.population.manifest import Entry, Manifest, manifest
from hongyan.audience.population.people import place
from hongyan.audience.population.reading import Chunk, Read, chunk_of
from hongyan.audience.population.writer import Passed, Progress, copy_pass
from hongyan.contacts import touched
from hongyan.core import clock
from hongyan.events.history.errors import StoreProblem
from hongyan.events.history.store import Store


@dataclass(frozen=True, slots=True)
class Status:
    """For people: how far the copy is. waiting: changes that are in no file yet; lag_s: age of the oldest of them."""

    built: bool
    files: int
    contacts: int
    bytes: int
    waiting: int
    lag_s: float
    retired: int
    place: str
    passed_at: datetime | None


@dataclass(slots=True)
class Verified:
    """problems: what, and in which file; nothing of any person."""

    files: int = 0
    contacts: int = 0
    problems: list[str] = field(default_factory=list)


def status(store: Store | None = None) -> Status:
    store = store or place()
    state = PopulationState.objects.filter(pk=1).first()
    files = list(PopulationFile.objects.filter(retired_at=None).values_list("type_id", "rows", "bytes", "tx"))
    oldest = min([tx for *_, tx in files] + ([state.tx] if state else []), default=0)
    waiting, since = touched.waiting_since(oldest) if state else (0, None)
    return Status(
        built=state is not None and state.built_at is not None,
        files=len(files),
        contacts=sum(rows for type_id, rows, *_ in files if type_id is None),
        bytes=sum(size for _, _, size, _ in files),
        waiting=waiting,
        lag_s=max(0.0, (clock.now() - since).total_seconds()) if since else 0.0,
        retired=PopulationFile.objects.exclude(retired_at=None).count(),
        place=store.place,
        passed_at=state.passed_at if state else None,
    )


def rebuild(store: Store | None = None, *, progress: Progress | None = None) -> Passed:
    """Everything from PostgreSQL; until a chunk is written its old file answers."""
    return copy_pass(store, progress=progress, anew=True)


def verify(store: Store | None = None, *, progress: Progress | None = None) -> Verified:
    """Every file against its checksum, and every contact as a question would see them against PostgreSQL, in one view
    of everything. Memory: one chunk."""
    store = store or place()
    found = Verified()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        link = cast("Connection[Any]", connection.connection)
        state = manifest(link)
        if state is None or not state.built:
            found.problems.append("not built yet")
            return found
        checking = _Checking(link, store, state, catalogue_now(), found)
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(id), 0) FROM contacts_contact")
            highest = chunk_of(cursor.fetchone()[0])
        chunks = sorted({*range(highest + 1), *state.people})
        stale = delta.delta(link, state, checking.people, activity=True)
        for done, chunk in enumerate(chunks):
            checking.chunk(chunk, stale)
            if progress is not None:
                progress(done + 1, len(chunks))
    return found


@dataclass(frozen=True, slots=True)
class _Checking:
    link: Connection[Any]
    store: Store
    state: Manifest
    catalogue: Catalogue
    found: Verified

    @property
    def people(self) -> dict[str, Wanted]:
        return of_people(self.catalogue)

    def chunk(self, chunk: int, changed: delta.Delta) -> None:
        truth = reading.people(self.link, self.people, Chunk(chunk))
        self.found.contacts += truth.rows.num_rows
        entry = self.state.people.get(chunk)
        stale = pc.is_in(truth.rows["contact_id"], changed.stale)
        self.compare(entry, Read(truth.rows.filter(pc.invert(stale)), truth.columns), changed.stale, self.people, chunk)
        mine = changed.fresh.rows.filter(
            pc.equal(pc.shift_right(changed.fresh.rows["contact_id"], reading.CHUNK_BITS), chunk)
        )
        for name in _differences(truth.rows.filter(stale), mine.sort_by("contact_id"), ["contact_id", *self.people]):
            self.found.problems.append(f"chunk {chunk}: changed contacts differ in {name}")
        for spec in self.catalogue.objects.values():
            wanted = of_objects(self.catalogue, spec.key)
            if entry is not None and spec.id not in entry.types:
                continue  # no question uses it
            things = reading.objects(self.link, wanted, spec.id, Chunk(chunk))
            kept = things.rows.filter(pc.invert(pc.is_in(things.rows["contact_id"], changed.stale)))
            held = self.state.objects.get(spec.id, {}).get(chunk)
            self.compare(held, Read(kept, things.columns), changed.stale, wanted, chunk)

    def compare(
        self, entry: Entry | None, truth: Read, stale: pa.Int64Array, wanted: dict[str, Wanted], chunk: int
    ) -> None:
        """The file without stale contacts against the truth without them."""
        if entry is None:
            if truth.rows.num_rows:
                self.found.problems.append(f"chunk {chunk}: {truth.rows.num_rows} rows are in no file")
            return
        self.found.files += 1
        rows = self._rows(entry)
        if rows is None:
            return
        names = [name for name in ("contact_id", *wanted, *reading.SETS) if name in rows.column_names]
        names = [name for name in names if name not in wanted or entry.signatures[name] == wanted[name].signature]
        kept = rows.filter(pc.invert(pc.is_in(rows["contact_id"], stale)))
        for name in _differences(truth.rows, kept, names):
            self.found.problems.append(f"{entry.file.path}: differs in {name}")

    def _rows(self, entry: Entry) -> pa.Table | None:
        path = entry.file.path
        kept = PopulationFile.objects.filter(path=path).values_list("sha256", flat=True).first()
        try:
            digest = self.store.digest(path)
            if digest is None:
                self.found.problems.append(f"{path}: is not there")
            elif kept is None or digest != bytes(kept):
                self.found.problems.append(f"{path}: is not what was written")
            else:
                return self.store.read(path)
        except (OSError, StoreProblem, pa.ArrowException):
            self.found.problems.append(f"{path}: cannot be read")
        return None


def _differences(truth: pa.Table, held: pa.Table, names: list[str]) -> Iterator[str]:
    if truth.num_rows != held.num_rows:
        yield f"the number of rows ({held.num_rows}, not {truth.num_rows})"
        return
    for name in names:
        if not _same(truth[name].combine_chunks(), held[name].combine_chunks()):
            yield name


def _same(one: pa.Array, other: pa.Array) -> bool:
    """Sets as sets, numbers whatever their widths."""
    if pa.types.is_list(one.type):
        return [_set(value) for value in one.to_pylist()] == [_set(value) for value in other.to_pylist()]
    if pa.types.is_decimal(one.type):
        return bool(one.to_pylist() == other.to_pylist())
    return bool(one.equals(other))


def _set(value: list[Any] | None) -> list[Any] | None:
    return None if value is None else sorted(value)
