"""The change log: whose facts were touched, whoever wrote them. docs/decisions/0010.

Triggers write one row of ``contacts_touched`` for each writing statement: what kind of fact, and whose it is. Those who
keep something derived from contacts (a columnar copy, memberships) read it behind a cursor, so no writer needs to know
them. The log says who, never what: readers look at the tables for what holds now.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from hongyan.contacts.models_touched import TouchedReader
from hongyan.core.sql import numbers, statement, texts

BATCH: Final = 1_000  # rows of the log, each one statement's contacts
# Questions that began before a reader moved may still ask for what it passed; none runs this long.
_KEPT_S: Final = 15 * 60
_ABSENT_DAYS: Final = 30


class Kind(StrEnum):
    """What kind of fact was written."""

    CONTACT = "contact"  # the contact's own row: made, changed, deleted
    ACTIVITY = "activity"  # nothing of that row but when the person was last active
    CONSENT = "consent"
    TAG = "tag"
    LIST = "list"
    FACTS = "facts"  # what commerce knows of their orders
    COMPANY = "company"  # the row of their company
    OBJECT = "object"
    STANDING = "standing"  # lifecycle stage, RFM
    FORGOTTEN = "forgotten"  # facts of theirs were deleted, by retention


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """Everything up to this row of the log has been read. As a bound: every transaction before ``tx`` has."""

    tx: int = 0
    id: int = 0


@dataclass(frozen=True, slots=True)
class Touched:
    """One writing statement. ``contact_ids``: each once, in no order; ids of contacts that are gone among them. Of
    FORGOTTEN also the names of the facts, and when the newest of them was."""

    at: Cursor
    kind: Kind
    contact_ids: Sequence[int]
    names: Sequence[str] = ()
    until: datetime | None = None


def touched_after(cursor: Cursor, *, limit: int = BATCH) -> tuple[list[Touched], Cursor]:
    """The next rows in the order of their transactions, and the cursor behind them (the given one when there are none).

    Rows of transactions that could still be overtaken by a slower one are held back, so nothing is ever missed.
    """
    with connection.cursor() as db:
        db.execute(_sql("after_cursor"), {"tx": str(cursor.tx), "id": cursor.id, "limit": limit})
        found = db.fetchall()
        rows = []
        for tx, pk, kind, contact_ids, company_ids, names, until in found:
            if company_ids:
                db.execute(_sql("people_of"), {"company_ids": numbers(company_ids)})
            people = [row[0] for row in db.fetchall()] if company_ids else contact_ids
            rows.append(Touched(Cursor(tx, pk), Kind(kind), people, names or (), until))
    return rows, rows[-1].at if rows else cursor


def horizon(link: BaseDatabaseWrapper = connection) -> int:
    """A transaction id: every transaction before it is finished and seen by the snapshot that asks. Whoever copies the
    tables in one snapshot has everything before it, and stays exact by looking again at ``touched_since(it)``."""
    with link.cursor() as db:
        db.execute(_sql("horizon"))
        return int(db.fetchone()[0])


def touched_since(
    tx: int,
    *,
    kinds: Iterable[Kind] | None = None,
    link: BaseDatabaseWrapper = connection,
) -> list[int]:
    """Contacts touched by transaction ``tx`` or a later one, as far as the asking snapshot sees; in no order."""
    with link.cursor() as db:
        db.execute(_sql("touched_since"), {"tx": str(tx), "kinds": None if kinds is None else texts(kinds)})
        return [row[0] for row in db.fetchall()]


def waiting_since(tx: int) -> tuple[int, datetime | None]:
    """How many touches a copy of what is so of people as of ``tx`` has not taken in, and since when the oldest waits;
    facts that were deleted are nothing of it."""
    with connection.cursor() as db:
        db.execute(_sql("waiting"), {"tx": str(tx)})
        count, at = db.fetchone()
    return int(count), at


# ——— readers


def reader_begin(name: str) -> Cursor:
    """The place of a reader; one that has none begins now, and must read the tables once for what was before."""
    with connection.cursor() as db:
        db.execute(_sql("enter"), {"name": name})
    place = reader_place(name)
    if place is None:
        raise RuntimeError(f"reader {name} was removed while it began")
    return place


def reader_place(name: str, *, lock: bool = False) -> Cursor | None:
    """None: it never began, or was away for so long that its place was given up. lock: until the transaction ends, so
    that two of the same name do not read the same rows."""
    readers = TouchedReader.objects.select_for_update() if lock else TouchedReader.objects
    row = readers.filter(name=name).first()
    return None if row is None else Cursor(row.tx, row.touched_id)


def reader_move(name: str, cursor: Cursor) -> None:
    """In the transaction that writes what the reader made of the rows."""
    with connection.cursor() as db:
        db.execute(_sql("move"), {"name": name, "tx": cursor.tx, "id": cursor.id})


def reader_end(name: str) -> None:
    TouchedReader.objects.filter(name=name).delete()


def prune(*, kept_s: int = _KEPT_S, absent_days: int = _ABSENT_DAYS) -> int:
    """Drop what every reader has passed. Returns how many rows."""
    with connection.cursor() as db:
        db.execute(_sql("forget_absent"), {"days": absent_days})
        db.execute(_sql("prune"), {"kept_s": kept_s})
        return int(db.rowcount)


@contextmanager
def only_activity(cursor: CursorWrapper) -> Iterator[None]:
    """What is written to contacts inside changes nothing but when they were last active. In a transaction."""
    cursor.execute("SELECT set_config('hongyan.touching', 'activity', true)")
    yield
    # After a failure there is nothing to put back: the transaction, or its savepoint, takes the setting with it.
    cursor.execute("SELECT set_config('hongyan.touching', '', true)")


# ——— triggers: for the migrations of this room and of those above it


def triggers(table: str, kind: Kind | str, *, column: str = "contact_id") -> tuple[str, str]:
    """SQL that hangs the log on a table, and SQL that takes it off. column: ``contact_id``, or ``id`` for the table of
    contacts and ``company`` for that of companies."""
    function = {"contact_id": "contacts_touch", "id": "contacts_touch_contact", "company": "contacts_touch_company"}
    call = f"FOR EACH STATEMENT EXECUTE FUNCTION {function[column]}('{Kind(kind).value}');\n"
    before = "OLD TABLE AS gone " if column == "contact_id" else ""  # a row may go from one contact to another
    make = (
        f"CREATE TRIGGER touched_on_insert AFTER INSERT ON {table} REFERENCING NEW TABLE AS fresh {call}"
        f"CREATE TRIGGER touched_on_update AFTER UPDATE ON {table} REFERENCING {before}NEW TABLE AS fresh {call}"
        f"CREATE TRIGGER touched_on_delete AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone {call}"
    )
    drop = "".join(f"DROP TRIGGER touched_on_{act} ON {table};\n" for act in ("insert", "update", "delete"))
    return make, drop


def tables_with_triggers() -> set[str]:
    """Tables whose writes the log sees."""
    with connection.cursor() as db:
        db.execute("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE starts_with(tgname, 'touched_on_')")
        return {row[0] for row in db.fetchall()}


def _sql(name: str) -> Any:
    return statement("hongyan.contacts", "touched.sql", name)
