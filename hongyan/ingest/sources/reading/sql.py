"""Tables and views of SQL databases. Only ever SELECT, in sessions that the database itself holds to reading."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hongyan.ingest.sources.errors import SourceFailed, SourceRefused
from hongyan.ingest.sources.reading import glue  # before dlt itself
from hongyan.ingest.sources.reading.base import PAGE, SAMPLE, Files, Known, columns_of, flat
from hongyan.ingest.sources.reading.folders import inside
from hongyan.ingest.sources.reading.network import allowed_address
from hongyan.ingest.sources.reading.scrub import scrub
from hongyan.ingest.sources.types import Looked, Page

import dlt  # isort: skip
import sqlalchemy as sa  # isort: skip
from dlt.sources.sql_database import sql_table  # isort: skip
from sqlalchemy import exc  # isort: skip

CONNECT_S, QUERY_S = 10, 600
_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "mssql": 1433, "oracle": 1521}
# What may stand behind the "?" of an address. Drivers know many more, and some undo every check here: another host or a
# local socket, a file of this server that is handed over (LOAD DATA LOCAL), a file that names yet others.
_OPTIONS = {
    "postgresql": frozenset(
        {"sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding", "gssencmode", "client_encoding"}
    ),
    "mysql": frozenset({"charset", "ssl_ca", "ssl_cert", "ssl_key", "ssl_check_hostname"}),
    "mariadb": frozenset({"charset", "ssl_ca", "ssl_cert", "ssl_key", "ssl_check_hostname"}),
    "mssql": frozenset({"driver", "Encrypt", "TrustServerCertificate"}),
    "oracle": frozenset({"service_name", "sid"}),
}
_MAX_TABLES = 500
# SQLSTATE or its class, or an error number: wrong name or password, or without the right to read this.
_REFUSED = ("28", "42501", "1045", "1044", "1142", "1143", "1698", "18456")


def url_of(text: str) -> sa.URL:
    """Raises SourceRefused. ``postgresql://`` and ``mysql://`` get the drivers that are installed."""
    try:
        url = sa.make_url(text.strip())
    except exc.ArgumentError as error:
        raise SourceRefused("url_malformed") from error
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    try:
        url.get_dialect().import_dbapi()
    except (exc.NoSuchModuleError, ImportError) as error:
        raise SourceRefused("driver_missing", driver=url.drivername[:40]) from error
    _check_options(url)
    return url


def _check_options(url: sa.URL) -> None:
    """Raises SourceRefused. Without a host, PostgreSQL's may be a socket of this machine: that is asked for later."""
    allowed = _OPTIONS.get(url.get_backend_name(), frozenset())
    if url.get_backend_name() == "postgresql" and not url.host and str(url.query.get("host", "")).startswith("/"):
        allowed |= {"host", "port"}
    for name in url.query:
        if name not in allowed:
            raise SourceRefused("option_refused", option=name[:40])


def shown(text: str) -> str:
    """The address without name and password."""
    url = url_of(text)
    place = f"{url.host or ''}{f':{url.port}' if url.port else ''}"
    return f"{url.get_backend_name()}://{place}/{url.database or ''}"


class SQLReader:
    """place: schema, table, cursor (a column that grows), lag_s, private. secrets: url."""

    def __init__(self, place: dict[str, Any], secrets: dict[str, str]) -> None:
        self._place, self._secrets = place, secrets
        self._url = url_of(secrets.get("url", ""))
        self.resumes = bool(place.get("cursor"))

    def look(self) -> Looked:
        with self._opened() as engine:
            inspector = sa.inspect(engine)
            schema = self._place.get("schema") or None
            places = sorted([*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)])
            table = self._place.get("table") or ""
            if not table:
                return Looked([], [], places[:_MAX_TABLES])
            found = self._reflected(engine)
            with engine.connect() as connection:
                rows = connection.execute(found.select().limit(SAMPLE)).mappings().all()
            records = [flat(dict(row)) for row in rows]
            columns = [column.name for column in found.columns]
            growing = [column.name for column in found.columns if _grows(column)]
            return Looked(columns or columns_of(records), records, places[:_MAX_TABLES], growing)

    def pages(self, known: Known, begin_file: Files) -> Iterator[Page]:
        del begin_file
        column = self._place.get("cursor") or ""
        with self._opened() as engine:
            table = self._reflected(engine)
            if column and column not in table.c:
                raise SourceFailed("cursor_missing", column[:80], permanent=True)
            resource = sql_table(
                engine,
                table=table.name,
                schema=self._place.get("schema") or None,
                chunk_size=PAGE,
                reflection_level="minimal",
                incremental=self._incremental(column),
            )
            for raw, state in glue.pages(resource, known.cursor if column else ""):
                note = glue.cursor_text(state)[:60] if column else ""
                yield Page([flat(row) for row in raw], state if column else None, note)

    def _incremental(self, column: str) -> Any:
        if not column:
            return None
        lag = float(self._place.get("lag_s") or 0)
        return dlt.sources.incremental(column, row_order="asc", on_cursor_value_missing="include", lag=lag or None)

    def _reflected(self, engine: sa.Engine) -> sa.Table:
        try:
            return sa.Table(
                self._place["table"],
                sa.MetaData(schema=self._place.get("schema") or None),
                autoload_with=engine,
                resolve_fks=False,
            )
        except exc.NoSuchTableError as error:
            raise SourceFailed("table_missing", str(self._place["table"])[:80], permanent=True) from error

    @contextmanager
    def _opened(self) -> Iterator[sa.Engine]:
        engine = self._engine()
        try:
            yield engine
        except exc.DBAPIError as error:
            raise self._failure(error) from None  # the chain would carry the URL
        except exc.SQLAlchemyError as error:
            raise SourceFailed("database_error", type(error).__name__) from None
        finally:
            engine.dispose()

    def _engine(self) -> sa.Engine:
        backend = self._url.get_backend_name()
        if backend == "sqlite":
            return _sqlite(self._url)
        host = self._url.host or ""
        arguments: dict[str, Any] = {}
        address = self._address(host, backend)
        if backend == "postgresql":
            settings = f"-c default_transaction_read_only=on -c statement_timeout={QUERY_S}s"
            arguments = {"connect_timeout": CONNECT_S, "options": settings, "application_name": "hongyan"}
            if address:
                arguments["hostaddr"] = address  # the one that was checked; certificates are still held to the name
        elif backend in {"mysql", "mariadb"}:
            arguments = {
                "connect_timeout": CONNECT_S,
                "read_timeout": QUERY_S,
                "init_command": "SET SESSION TRANSACTION READ ONLY",
                "local_infile": False,
            }
        return sa.create_engine(self._url, poolclass=sa.NullPool, connect_args=arguments, hide_parameters=True)

    def _address(self, host: str, backend: str) -> str:
        """Where to connect to; "" for a socket of this machine. Raises SourceFailed for what must not be reached."""
        private = bool(self._place.get("private"))
        if host and not host.startswith("/"):
            return allowed_address(host, self._url.port or _PORTS.get(backend, 0), private=private)
        if not private:
            raise SourceFailed("address_private", permanent=True)
        return ""

    def _failure(self, error: exc.DBAPIError) -> SourceFailed:
        cause = error.orig
        code = str(getattr(cause, "sqlstate", "") or (cause.args[0] if cause is not None and cause.args else ""))
        text = scrub(str(cause), [self._url.password or "", self._secrets.get("url", "")])
        lowered = text.lower()
        if code.startswith(_REFUSED) or "password authentication failed" in lowered or "access denied" in lowered:
            return SourceFailed("login_refused", text, permanent=True)
        if "does not exist" in lowered or "unknown database" in lowered:
            return SourceFailed("database_missing", text, permanent=True)
        if error.connection_invalidated or any(word in lowered for word in ("connect", "timed out", "timeout")):
            return SourceFailed("cannot_connect", text)
        return SourceFailed("database_error", text)


def _sqlite(url: sa.URL) -> sa.Engine:
    path = inside(url.database or "")
    if not path.is_file():
        raise SourceFailed("database_missing", path.name[:80], permanent=True)

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=CONNECT_S, check_same_thread=False)

    return sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool, hide_parameters=True)


def _grows(column: sa.Column[Any]) -> bool:
    """Whether the values of a column may tell new rows from old ones: times, and numbers given out in order."""
    name = column.name.lower()
    if isinstance(column.type, (sa.DateTime, sa.Date, sa.TIMESTAMP)):
        return True
    if isinstance(column.type, sa.Integer):
        return bool(column.primary_key) or name.endswith(("id", "version", "seq"))
    return isinstance(column.type, sa.String) and name.endswith(("_at", "_time", "updated", "modified", "date"))
