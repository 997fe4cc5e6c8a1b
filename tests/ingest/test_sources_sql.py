"""Tables of databases: only what is new, exactly once, and nothing but reading."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection

from hongyan.audit.models import AuditEntry
from hongyan.commerce.models import Product
from hongyan.contacts.models import Contact, ObjectRecord
from hongyan.contacts.objects_types import object_type_create
from hongyan.contacts.services import contact_create
from hongyan.contacts.types import ContactValues
from hongyan.events.models import Event
from hongyan.ingest.models_intake import QuarantinedRecord
from hongyan.ingest.models_sources import Source, SourceRun
from hongyan.ingest.quarantine import quarantine_edit, quarantine_open, quarantine_retry
from hongyan.ingest.sources import runner, services
from hongyan.ingest.sources.errors import SourceFailed, SourceRefused
from hongyan.ingest.sources.reading import glue
from hongyan.ingest.sources.reading.sql import shown, url_of
from hongyan.ingest.sources.types import RunState, SourceKind, Target
from tests.ingest.source_factory import ACTOR, begin, emails, names, people, run, source, sqlite_file

pytestmark = pytest.mark.django_db
PLACE = {"table": "people", "cursor": "updated_at"}


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.HONGYAN_SOURCE_FOLDERS = str(tmp_path)
    return tmp_path


@pytest.fixture
def shop(folder: Path) -> Path:
    return sqlite_file(folder / "shop.db", people(5))


def of_sqlite(path: Path, **more: Any) -> Source:
    return source(SourceKind.SQL, {**PLACE, **more}, secrets={"url": f"sqlite:///{path}"})


def table_file(folder: Path, table: str, *rows: tuple[Any, ...], anew: bool = False) -> Path:
    """table: with its columns when it is to be made."""
    path, name = folder / f"{table.partition(' ')[0]}.db", table.partition(" ")[0]
    with sqlite3.connect(path) as database:
        if " " in table:
            database.execute(f"CREATE TABLE {table}")
        if anew:
            database.execute(f"DELETE FROM {name}")
        places = ",".join("?" * len(rows[0]))
        database.executemany(f"INSERT INTO {name} VALUES ({places})", rows)
    database.close()
    return path


class TestIncremental:
    def test_first_everything_then_only_what_is_new_or_changed(self, shop: Path) -> None:
        made = of_sqlite(shop)
        first = run(made)
        assert (first.state, first.read, first.created) == (RunState.FINISHED, 5, 5)
        again = run(made)
        assert (again.read, again.created, again.changed) == (0, 0, 0)
        sqlite_file(shop, [(1, "p1@example.cn", "李雷", "北京", "2026-11-02 08:00:00"), *people(1, 5, "2026-11-02")])
        third = run(made)
        assert (third.read, third.created, third.changed, third.unchanged) == (2, 1, 1, 0)
        assert names()["p1@example.cn"] == "李雷"
        assert glue.cursor_text(made.cursor) == "2026-11-02 08:00:00"

    def test_rows_with_the_cursor_of_the_last_one_are_not_missed(self, shop: Path) -> None:
        made = of_sqlite(shop)
        run(made)
        last = people(5)[-1][-1]
        sqlite_file(shop, [(99, "late@example.cn", "迟到", "上海", last)])
        assert (run(made).created, "late@example.cn" in emails()) == (1, True)

    def test_without_a_cursor_everything_is_read_and_nothing_doubles(self, shop: Path) -> None:
        made = of_sqlite(shop, cursor="")
        assert run(made).created == 5
        again = run(made)
        assert (again.read, again.created, again.unchanged, Contact.objects.count()) == (5, 0, 5, 5)

    def test_reading_again_from_the_start_doubles_nothing(self, shop: Path) -> None:
        made = of_sqlite(shop)
        run(made)
        services.source_read_again(actor=ACTOR, public_id=made.public_id)
        again = run(made)
        assert (again.read, again.unchanged, Contact.objects.count()) == (5, 5, 5)

    def test_many_pages(self, folder: Path) -> None:
        made = of_sqlite(sqlite_file(folder / "big.db", people(2_500)))
        done = run(made)
        assert (done.read, done.created, Contact.objects.count()) == (2_500, 2_500, 2_500)


class TestQuarantine:
    def test_a_bad_record_waits_the_rest_goes_on_and_it_can_be_mended(self, shop: Path) -> None:
        sqlite_file(shop, [(50, "not an address", "坏", "上海", "2026-11-03 00:00:00")])
        made = of_sqlite(shop)
        done = run(made)
        assert (done.created, done.quarantined, done.state) == (5, 1, RunState.FINISHED)
        waiting = QuarantinedRecord.objects.get(source=made.sealed_key)
        assert (waiting.kind, waiting.place) == (runner.KIND, "email")
        assert b"not an address" not in bytes(waiting.payload)
        payload = quarantine_open(actor=ACTOR, public_id=waiting.public_id)
        mended = payload.replace(b"not an address", b"mended@example.cn")
        still = quarantine_edit(actor=ACTOR, public_id=waiting.public_id, payload=payload)
        assert still is not None
        assert quarantine_edit(actor=ACTOR, public_id=waiting.public_id, payload=mended) is None
        assert "mended@example.cn" in emails()

    def test_the_same_bad_record_does_not_wait_twice(self, shop: Path) -> None:
        sqlite_file(shop, [(50, "not an address", "坏", "上海", "2026-11-03 00:00:00")])
        made = of_sqlite(shop, cursor="")
        run(made)
        assert run(made).quarantined == 1
        assert QuarantinedRecord.objects.count() == 1


class TestTargets:
    def test_events_come_once_and_bring_their_person(self, folder: Path) -> None:
        path = folder / "clicks.db"
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE clicks (id INTEGER, mail TEXT, what TEXT, at TEXT, page TEXT)")
            database.executemany(
                "INSERT INTO clicks VALUES (?,?,?,?,?)",
                [
                    (1, "a@example.cn", "Product Viewed", "2026-11-01T10:00:00Z", "/tea"),
                    (2, "", "Product Viewed", "2026-11-01", "/"),
                ],
            )
        database.close()
        made = source(
            SourceKind.SQL,
            {"table": "clicks"},
            secrets={"url": f"sqlite:///{path}"},
            target=Target.EVENTS,
            mapping={"mail": "email", "what": "name", "at": "occurred_at", "page": "property:page", "id": "message_id"},
        )
        done = run(made)
        assert (done.created, done.quarantined) == (1, 1)
        assert run(made).created == 0
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT name, properties->>'page', contact_id IS NOT NULL FROM events_event WHERE source = %s",
                [made.sealed_key],
            )
            assert cursor.fetchall() == [("product_viewed", "/tea", True)]

    def test_orders_with_their_lines(self, folder: Path) -> None:
        from hongyan.commerce.models import Order, OrderLine

        path = folder / "orders.db"
        lines = '[{"sku": "T-1", "title": "龙井", "quantity": 2, "price": "19.90"}]'
        with sqlite3.connect(path) as database:
            database.execute(
                "CREATE TABLE orders (no TEXT, buyer TEXT, placed TEXT, total TEXT, lines TEXT, status TEXT)"
            )
            database.executemany(
                "INSERT INTO orders VALUES (?,?,?,?,?,?)",
                [
                    ("A1", "a@example.cn", "2026-11-01 10:00:00", "39.80", lines, "已付款"),
                    ("A2", "b@example.cn", "2026-11-01", "many", "", "paid"),
                ],
            )
        database.close()
        made = source(
            SourceKind.SQL,
            {"table": "orders"},
            secrets={"url": f"sqlite:///{path}"},
            target=Target.ORDERS,
            mapping={
                "no": "external_id",
                "buyer": "email",
                "placed": "placed_at",
                "total": "total",
                "lines": "lines",
                "status": "state",
            },
            currency="CNY",
        )
        done = run(made)
        assert (done.created, done.quarantined) == (1, 1)
        order = Order.objects.get()
        assert (order.total_minor, order.currency, order.contact_id is not None) == (3980, "CNY", True)
        assert OrderLine.objects.get(order=order).amount_minor == 3980
        assert QuarantinedRecord.objects.get().place == "total"
        assert run(made).unchanged == 1

    def test_products_by_time_of_change(self, folder: Path) -> None:
        path = table_file(
            folder,
            "goods (no TEXT, code TEXT, name TEXT, price TEXT, kind TEXT, changed TEXT)",
            ("P1", "T-1", "龙井", "19.90", "茶", "2026-11-01 10:00:00"),
            ("P2", "T-2", "碧螺春", "twenty", "茶", "2026-11-01 11:00:00"),
        )
        made = source(
            SourceKind.SQL,
            {"table": "goods", "cursor": "changed"},
            secrets={"url": f"sqlite:///{path}"},
            target=Target.PRODUCTS,
            mapping={
                "no": "external_id",
                "code": "sku",
                "name": "title",
                "price": "price",
                "kind": "category",
                "changed": "updated_at",
            },
            currency="CNY",
        )
        done = run(made)
        assert (done.read, done.created, done.quarantined) == (2, 1, 1)
        waiting = QuarantinedRecord.objects.get()
        assert (waiting.place, waiting.reason) == ("price", "bad_amount")
        payload = quarantine_open(actor=ACTOR, public_id=waiting.public_id).replace(b"twenty", b"20")
        assert quarantine_edit(actor=ACTOR, public_id=waiting.public_id, payload=payload) is None
        table_file(folder, "goods", ("P1", "T-1", "西湖龙井", "29.90", "茶", "2026-11-02 10:00:00"))
        again = run(made)
        assert (again.created, again.changed) == (0, 1)
        found = Product.objects.order_by("external_id").values_list("sku", "title", "price_minor", "currency")
        assert list(found) == [("T-1", "西湖龙井", 2990, "CNY"), ("T-2", "碧螺春", 2000, "CNY")]

    def test_custom_objects_of_people_who_are_known(self, folder: Path) -> None:
        object_type_create(
            actor=ACTOR,
            key="course",
            label_zh="课程",
            label_en="Course",
            fields=[
                {"key": "name", "label_zh": "名称", "label_en": "Name", "type": "text"},
                {"key": "done", "label_zh": "进度", "label_en": "Progress", "type": "number"},
                {"key": "ends", "label_zh": "到期", "label_en": "Ends", "type": "date"},
            ],
        )
        contact_id = contact_create(actor=ACTOR, values=ContactValues({"email": "a@example.cn"}), source="test").pk
        path = table_file(
            folder,
            "courses (no INTEGER, mail TEXT, title TEXT, done INTEGER, ends TEXT)",
            (1, "A@example.cn", "围棋", 40, "2027-01-31"),
            (2, "a@example.cn", "书法", "half", "2027-02-28"),
            (3, "later@example.cn", "茶艺", 10, ""),
        )
        made = source(
            SourceKind.SQL,
            {"table": "courses"},
            secrets={"url": f"sqlite:///{path}"},
            target=Target.OBJECTS,
            object_type="course",
            mapping={
                "no": "object_id",
                "mail": "email",
                "title": "field:name",
                "done": "field:done",
                "ends": "field:ends",
            },
        )
        done = run(made)
        assert (done.read, done.created, done.quarantined) == (3, 1, 2)
        waiting = {row.reason: row for row in QuarantinedRecord.objects.all()}
        assert {reason: row.place for reason, row in waiting.items()} == {"number": "done", "contact_unknown": "mail"}
        contact_create(actor=ACTOR, values=ContactValues({"email": "later@example.cn"}), source="test")
        assert quarantine_retry(actor=ACTOR, public_ids=[waiting["contact_unknown"].public_id]).taken == 1
        table_file(folder, "courses", (1, "a@example.cn", "围棋", 60, "2027-01-31"), anew=True)
        again = run(made)
        assert (again.read, again.changed, again.quarantined) == (1, 1, 0)
        held = ObjectRecord.objects.order_by("external_id").values_list("external_id", "contact_id", "attributes")
        first, other = held
        assert first == ("1", contact_id, {"name": "围棋", "done": 60, "ends": "2027-01-31"})
        assert other[0] == "3"
        assert set(Event.objects.filter(source=made.sealed_key).values_list("name", flat=True)) == {"object_updated"}


class TestOnlyReading:
    def test_a_database_outside_the_allowed_folders_is_refused(self, folder: Path, settings: Any) -> None:
        path = sqlite_file(folder / "shop.db", people(1))
        settings.HONGYAN_SOURCE_FOLDERS = str(folder / "elsewhere")
        with pytest.raises(SourceRefused) as refused:
            of_sqlite(path)
        assert refused.value.code == "folder_not_allowed"

    def test_a_missing_table_and_a_missing_cursor_are_named(self, shop: Path) -> None:
        with pytest.raises(SourceFailed) as failed:
            of_sqlite(shop, table="nobody")
        assert (failed.value.code, failed.value.permanent) == ("table_missing", True)
        made = of_sqlite(shop, cursor="gone")
        done = run(made)
        assert (done.state, done.error_code) == (RunState.FAILED, "cursor_missing")


@pytest.mark.parametrize(
    ("text", "driver", "shown_as"),
    [
        ("postgresql://u:p@db.example.com/shop", "postgresql+psycopg", "postgresql://db.example.com/shop"),
        ("mysql://u:p%40x@db.example.com:3307/shop", "mysql+pymysql", "mysql://db.example.com:3307/shop"),
        ("mariadb://u:p@db.example.com/shop", "mariadb+pymysql", "mariadb://db.example.com/shop"),
    ],
)
def test_addresses_get_the_installed_drivers_and_are_shown_without_credentials(
    text: str, driver: str, shown_as: str
) -> None:
    assert url_of(text).drivername == driver
    assert shown(text) == shown_as


@pytest.mark.parametrize(
    ("text", "code"), [("nonsense", "url_malformed"), ("mssql+pyodbc://u:p@h/d", "driver_missing")]
)
def test_addresses_that_lead_nowhere(text: str, code: str) -> None:
    with pytest.raises(SourceRefused) as refused:
        url_of(text)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:p@db.example.com/shop?host=127.0.0.1",
        "postgresql://u:p@db.example.com/shop?hostaddr=127.0.0.1",
        "postgresql://u:p@/shop?host=127.0.0.1",
        "postgresql://u:p@db.example.com/shop?passfile=/etc/passwd",
        "postgresql://u:p@db.example.com/shop?service=other",
        "mysql://u:p@db.example.com/shop?local_infile=1",
        "mysql://u:p@db.example.com/shop?unix_socket=/run/mysqld/mysqld.sock",
        "mysql://u:p@db.example.com/shop?read_default_file=/etc/my.cnf",
        "sqlite:///shop.db?uri=true",
    ],
)
def test_options_that_would_undo_the_checks_are_refused(text: str) -> None:
    with pytest.raises(SourceRefused) as refused:
        url_of(text)
    assert refused.value.code == "option_refused"


def test_postgresql_is_connected_to_by_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers differently the second time gains nothing; the name stays for the certificate."""
    from hongyan.ingest.sources.reading import sql

    monkeypatch.setattr(sql, "allowed_address", lambda *_a, **_k: "203.0.113.9")
    engine = sql.SQLReader({}, {"url": "postgresql://u:p@db.example.com/shop?sslmode=verify-full"})._engine()
    seen: dict[str, Any] = {}

    def connect(**parameters: Any) -> None:
        seen.update(parameters)
        raise psycopg.OperationalError("not today")

    monkeypatch.setattr(engine.dialect.loaded_dbapi, "connect", lambda *_a, **parameters: connect(**parameters))
    with pytest.raises(Exception, match="not today"):
        engine.connect()
    assert (seen["host"], seen["hostaddr"], seen["sslmode"]) == ("db.example.com", "203.0.113.9", "verify-full")


def test_a_failing_source_is_told_about_waits_longer_each_time_and_recovers(shop: Path) -> None:
    made = of_sqlite(shop)
    shop.rename(shop.with_suffix(".away"))
    pauses = []
    for _ in range(3):
        done = run(made)
        assert (done.state, done.error_code) == (RunState.FAILED, "database_missing")
        assert made.next_run_at is not None
        assert done.finished_at is not None
        pauses.append(made.next_run_at - done.finished_at)
    assert made.failures == 3
    assert AuditEntry.objects.filter(action="source.failed", subject_id=str(made.public_id)).count() == 3
    shop.with_suffix(".away").rename(shop)
    assert run(made).created == 5
    assert (made.failures, AuditEntry.objects.filter(action="source.recovered").count()) == (0, 1)


# -- a real PostgreSQL -------------------------------------------------------------------------------------------------


@pytest.fixture
def erp() -> Iterator[str]:
    """Another database of the server the tests run on, as somebody's ERP. Yields its URL."""
    own = connection.get_connection_params()
    server: dict[str, Any] = {key: own[key] for key in ("user", "password", "host", "port") if key in own}
    maker = psycopg.connect(**server, dbname=own["dbname"], autocommit=True)
    name = "erp_of_the_tests"
    maker.execute(f"DROP DATABASE IF EXISTS {name}")
    maker.execute(f"CREATE DATABASE {name}")
    user, password = quote(own.get("user") or "postgres"), quote(own.get("password") or "")
    host = quote(str(own.get("host") or ""), safe="")
    url = f"postgresql://{user}:{password}@/{name}?host={host}&port={own.get('port') or 5432}"
    with psycopg.connect(**server, dbname=name) as erp:
        erp.execute(
            "CREATE TABLE people (id int PRIMARY KEY, email text, name text, city text, balance numeric, tags text[], "
            "updated_at timestamptz)"
        )
        erp.execute(
            "INSERT INTO people SELECT n, 'p' || n || '@example.cn', '王小' || n, '上海', n + 0.5, '{vip}', "
            "'2026-11-01 00:00:00+08'::timestamptz + n * interval '1 second' FROM generate_series(1, 3000) n"
        )
    yield url
    maker.execute(f"DROP DATABASE {name} WITH (FORCE)")
    maker.close()


class TestPostgreSQL:
    def test_incremental_by_time_of_change(self, erp: str) -> None:
        made = source(SourceKind.SQL, {**PLACE, "private": True}, secrets={"url": erp})
        done = run(made)
        assert (done.read, done.created) == (3000, 3000)
        with psycopg.connect(erp) as database:
            database.execute("UPDATE people SET name = '改名', updated_at = now() WHERE id = 7")
        done = run(made)
        assert (done.read, done.changed, names()["p7@example.cn"]) == (1, 1, "改名")

    def test_the_session_cannot_write(self, erp: str) -> None:
        import sqlalchemy as sa

        from hongyan.ingest.sources.reading.sql import SQLReader

        engine = SQLReader({**PLACE, "private": True}, {"url": erp})._engine()
        with engine.connect() as session, pytest.raises(sa.exc.InternalError, match="read-only"):
            session.execute(sa.text("DELETE FROM people"))

    def test_a_private_address_needs_the_administrator_s_word(self, erp: str) -> None:
        with pytest.raises(SourceFailed) as failed:
            source(SourceKind.SQL, PLACE, secrets={"url": erp})
        assert failed.value.code == "address_private"

    def test_errors_name_the_fault_and_never_the_credentials(self) -> None:
        wrong = "postgresql://shop:geheim-9c1@127.0.0.1:1/none"
        with pytest.raises(SourceFailed) as failed:
            source(SourceKind.SQL, {**PLACE, "private": True}, secrets={"url": wrong})
        assert failed.value.code == "cannot_connect"
        shown, chain = failed.value.detail + repr(failed.value), failed.value
        assert "geheim-9c1" not in shown
        assert chain.__cause__ is None
        assert chain.__suppress_context__

    def test_credentials_are_sealed(self, erp: str) -> None:
        made = source(SourceKind.SQL, {**PLACE, "private": True}, secrets={"url": erp})
        with connection.cursor() as cursor:
            cursor.execute("SELECT row_to_json(s)::text FROM ingest_source s WHERE id = %s", [made.pk])
            kept = cursor.fetchone()[0]
        assert "erp_of_the_tests" in kept  # shown: the place without name and password
        assert "host=" not in kept


@pytest.mark.fault
@pytest.mark.django_db(transaction=True)
def test_a_killed_run_goes_on_where_it_stopped(erp: str) -> None:
    made = source(SourceKind.SQL, {**PLACE, "private": True}, secrets={"url": erp})
    begun = begin(made)
    assert _process(begun.pk, kill_at=1000) == -signal.SIGKILL
    begun.refresh_from_db()
    assert (begun.state, begun.read, Contact.objects.count()) == (RunState.RUNNING, 1000, 1000)
    assert _process(begun.pk, kill_at=2000) == -signal.SIGKILL
    assert _process(begun.pk) == 0
    begun.refresh_from_db()
    assert (begun.state, begun.read, begun.created, begun.attempt) == (RunState.FINISHED, 3000, 3000, 3)
    assert sorted(emails()) == sorted(f"p{number}@example.cn" for number in range(1, 3001))
    assert SourceRun.objects.count() == 1


def _process(run_id: int, kill_at: int | None = None) -> int:
    environment = {
        **os.environ,
        "HONGYAN_TEST_DATABASE_NAME": str(connection.settings_dict["NAME"]),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    if kill_at is not None:
        environment["HONGYAN_FAULT_SOURCE_KILL_AT"] = str(kill_at)
    done = subprocess.run(
        [sys.executable, "-m", "tests.ingest.source_process", str(run_id)],
        env=environment,
        cwd=Path(__file__).parents[2],
        timeout=60,
        check=False,
    )
    return done.returncode
