"""The door: who fulfils a segment. Which engine answers is a matter of size; what it answers is not."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from psycopg import IsolationLevel

from hongyan.audience import rows
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.compiler.emit import emit
from hongyan.audience.compiler.nodes import Node
from hongyan.audience.compiler.rewrite import expand, rewrite
from hongyan.audience.engines import duck
from hongyan.audience.engines.answers import Answer, BitsAnswer, SQLAnswer, bits_of
from hongyan.audience.engines.bits import Bits
from hongyan.audience.engines.events import Compiler
from hongyan.audience.engines.kept import kept
from hongyan.audience.engines.people import People
from hongyan.audience.engines.question import Population, Question, Subjects
from hongyan.audience.engines.quick import Quick
from hongyan.audience.engines.reader import Events, Reader
from hongyan.audience.engines.tidying import tidy
from hongyan.audience.engines.types import Engine, Leaf, Unanswerable
from hongyan.audience.population.people import place
from hongyan.audience.population.snapshot import snapshot as people_snapshot
from hongyan.audience.population.types import NotHeld
from hongyan.core import clock
from hongyan.core.sql import statement
from hongyan.events.history.plan import ask_for
from hongyan.events.history.snapshot import snapshot as history_snapshot
from hongyan.events.history.store import open_store
from hongyan.events.history.types import TAIL_SCHEMA, HistorySnapshot

NOTHING_HAPPENED: Final = HistorySnapshot([], pa.array([], pa.int64()), TAIL_SCHEMA.empty_table(), 0, 0.0)
# Below, a statement of PostgreSQL is done before the files' list is read (measured about 10,000 contacts with their
# events); above, columns win, the more the longer people have been known.
FEW_CONTACTS: Final = 10_000
# When the files are further behind than this, reading what they lack costs more than asking PostgreSQL alone.
MOST_WAITING: Final = 200_000


def ask(
    node: Node, *, catalogue: Catalogue | None = None, now: datetime | None = None, engine: Engine | str = Engine.AUTO
) -> Answer:
    """node: parsed and checked against the catalogue."""
    return ask_many([node], catalogue=catalogue, now=now, engine=engine)[0]


def ask_many(
    nodes: Sequence[Node],
    *,
    catalogue: Catalogue | None = None,
    now: datetime | None = None,
    engine: Engine | str = Engine.AUTO,
) -> list[Answer]:
    """All as of one moment; a condition that stands in several of them is asked once."""
    catalogue, now = catalogue or catalogue_now(), now or clock.now()
    chosen = routed(engine)
    if chosen is Engine.POSTGRES:
        return [SQLAnswer(emit(rewrite(node, catalogue), catalogue, now=now)) for node in nodes]
    with asking(nodes, catalogue, now, chosen) as question:
        return [BitsAnswer(question.bits(node), chosen) for node in nodes]


def routed(engine: Engine | str = Engine.AUTO) -> Engine:
    """Who will answer: few contacts, files that are not there yet and a transaction that has begun are PostgreSQL's."""
    chosen = Engine(engine)
    return _route() if chosen is Engine.AUTO else chosen


@contextmanager
def asking(nodes: Sequence[Node], catalogue: Catalogue, now: datetime, engine: Engine) -> Iterator[Question]:
    """A question of one moment that can answer these nodes and all that is made of them. engine: as ``routed``, but not
    PostgreSQL."""
    with _one_moment(), _reader(engine) as reader:
        question = _question(nodes, catalogue, now, reader)
        if not reader.beside_us:
            question.prepare(nodes)
        yield question
    _ask_for(question.events.events.missing)
    tidy()


def _ask_for(missing: set[tuple[str, str]]) -> None:
    """The next question about these properties shall find them in files."""
    for name, key in sorted(missing):
        with suppress(DatabaseError), transaction.atomic():  # a read-only standby answers as well
            ask_for(name, [key])


def _route() -> Engine:
    if connection.in_atomic_block:  # what it has seen and what it would see now may be of two moments
        return Engine.POSTGRES
    contacts, built, waiting = rows.query(
        statement("hongyan.audience", "engines.sql", "sizes"), {"most": MOST_WAITING}
    )[0]
    if contacts < FEW_CONTACTS or not built or waiting >= MOST_WAITING:
        return Engine.POSTGRES
    return Engine.SPARK if settings.HONGYAN_SPARK_URL else Engine.DUCKDB


@contextmanager
def _one_moment() -> Iterator[None]:
    """Everything read inside is as of one snapshot of PostgreSQL."""
    if connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    link = _link()
    before = link.isolation_level, link.read_only
    link.isolation_level, link.read_only = IsolationLevel.REPEATABLE_READ, True  # said as the transaction begins
    try:
        with transaction.atomic():
            yield
    finally:
        if not link.closed:
            link.isolation_level, link.read_only = before


@contextmanager
def _reader(engine: Engine) -> Iterator[Reader]:
    if engine is Engine.SPARK:
        from hongyan.audience.engines.spark import SparkReader, session

        with session(settings.HONGYAN_SPARK_URL) as found:
            yield SparkReader(found)
        return
    with duck.cursor() as link:
        yield duck.DuckReader(link)


def _question(nodes: Sequence[Node], catalogue: Catalogue, now: datetime, reader: Reader) -> Question:
    subjects = Subjects()
    for node in nodes:
        subjects.read(expand(node, catalogue))

    def fallback(node: Node, size: int) -> Bits:
        members = emit(rewrite(node, catalogue), catalogue, now=now)
        return bits_of(rows.query(members.text, members.params), size)

    history = (
        history_snapshot(_link(), names=sorted(subjects.events), keys=sorted(subjects.properties), with_lag=False)
        if subjects.events
        else NOTHING_HAPPENED
    )
    events = Compiler(Events(reader, history, open_store()), now, catalogue.zone)
    people = _population(subjects, catalogue, now, reader)
    quick = Quick(events.events, kept(), now, catalogue.zone, people.size) if reader.beside_us else None
    return Question(catalogue, reader, people, events, quick, fallback)


def _population(subjects: Subjects, catalogue: Catalogue, now: datetime, reader: Reader) -> Population:
    """With all that is asked about, else with what needs no column of its own, else PostgreSQL's."""
    for fields, objects in ((subjects.fields, subjects.objects), (set[str](), dict[str, set[str]]())):
        asked = {key: sorted(keys) for key, keys in objects.items()}
        try:
            found = people_snapshot(_link(), catalogue, fields=sorted(fields), objects=asked)
        except NotHeld:
            continue
        held = {key: frozenset(keys) for key, keys in objects.items()}
        return People(reader, found, place(), catalogue, now, frozenset(fields), held)
    return _Unwritten()


@dataclass(slots=True)
class _Unwritten:
    """No file says who there is."""

    size: int = 0

    def __post_init__(self) -> None:
        self.size = rows.query("SELECT coalesce(max(id), 0) FROM contacts_contact", {})[0][0]

    def everyone(self) -> Bits:
        return bits_of(rows.query("SELECT id FROM contacts_contact", {}), self.size)

    def everybody(self) -> Leaf:
        raise Unanswerable("everyone")

    def leaf(self, node: Node) -> Leaf:
        raise Unanswerable(type(node).__name__)


def _link() -> Any:
    """The driver's connection, in the transaction of this moment."""
    connection.ensure_connection()
    return connection.connection
