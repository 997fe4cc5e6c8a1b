"""Where columnar files live: a folder, or a bucket that speaks S3. Files are written once and never changed."""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Container, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from django.conf import settings

from hongyan.core.ids import uuid7
from hongyan.events.history.errors import BadPlace, StoreProblem

# Rows a group: what one thread of a reader takes at a time; a month of mails has a few groups, so both cores work.
_GROUP_ROWS = 65_536
_PART = ".part"  # a file somebody is writing, or died while writing


@dataclass(frozen=True, slots=True)
class Written:
    path: str
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Found:
    path: str
    size: int
    at: datetime


@dataclass(frozen=True, slots=True)
class S3:
    """What a reader of its own needs to open ``s3://…`` addresses. Empty: as the environment says."""

    endpoint: str
    region: str
    key: str
    secret: str


@dataclass(frozen=True)
class Store:
    """root: a folder, or bucket/prefix. cache: local folder for copies of a bucket's files; None for a folder."""

    filesystem: pafs.FileSystem
    root: str
    cache: Path | None = None
    s3: S3 | None = None

    @property
    def is_local(self) -> bool:
        return self.cache is None

    @property
    def place(self) -> str:
        """For people; no credentials."""
        return self.root if self.is_local else f"s3://{self.root}"

    def url(self, path: str) -> str:
        """As DuckDB and Spark open it themselves."""
        return f"{self.root}/{path}" if self.is_local else f"s3://{self.root}/{path}"

    def local(self, path: str) -> str:
        """A path on this machine. Of a bucket the file is fetched once and kept; files never change."""
        if self.cache is None:
            return f"{self.root}/{path}"
        kept = self.cache / path
        if not kept.exists():
            self._fetch(path, kept)
        return str(kept)

    def write(self, path: str, table: pa.Table) -> Written:
        """On return the file is whole and durable; before, nobody sees it under this path."""
        sink = pa.BufferOutputStream()
        pq.write_table(
            table,
            sink,
            compression="zstd",
            compression_level=1,
            row_group_size=_GROUP_ROWS,
            use_dictionary=[_leaf(field) for field in table.schema if _is_text(field.type)],
            store_decimal_as_integer=True,
            write_statistics=[name for name in ("contact_id", "n", "first", "last") if name in table.column_names],
        )
        data = sink.getvalue()
        if self.is_local:
            self._put_file(Path(self.root, path), data)
        else:
            self._put_object(path, data)
        return Written(path, data.size, hashlib.sha256(data).digest())

    def read(self, path: str, columns: list[str] | None = None) -> pa.Table:
        return pq.read_table(self.local(path), columns=columns, use_threads=True)

    def digest(self, path: str) -> bytes | None:
        """SHA-256 of what really lies there; None when nothing does."""
        try:
            with self.filesystem.open_input_stream(f"{self.root}/{path}") as stream:
                return hashlib.sha256(stream.read()).digest()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreProblem(str(error)) from error

    def remove(self, path: str) -> None:
        """It may be gone already."""
        try:
            self.filesystem.delete_file(f"{self.root}/{path}")
        except FileNotFoundError:
            pass
        except OSError as error:
            raise StoreProblem(str(error)) from error
        if self.cache is not None:
            (self.cache / path).unlink(missing_ok=True)

    def prune(self, known: Container[str], *, older_s: float = 3600) -> int:
        """Delete copies of a bucket's files that are on no list any more: each machine has its own, and the one that
        deletes the file knows nothing of the others. A copy younger than this may be of a file that was listed after
        ``known`` was read. Returns how many."""
        if self.cache is None:
            return 0
        count, now = 0, time.time()
        for kept in [path for path in self.cache.rglob("*") if path.is_file()]:
            with suppress(FileNotFoundError):  # another process prunes as well
                if str(kept.relative_to(self.cache)) not in known and kept.stat().st_mtime < now - older_s:
                    kept.unlink()
                    count += 1
        return count

    def files(self) -> Iterator[Found]:
        """Everything that lies there, also what nobody knows of."""
        try:
            entries = self.filesystem.get_file_info(pafs.FileSelector(self.root, recursive=True, allow_not_found=True))
        except OSError as error:
            raise StoreProblem(str(error)) from error
        for entry in entries:
            if entry.type == pafs.FileType.File:
                path = entry.path[len(self.root) :].lstrip("/")
                yield Found(path, entry.size or 0, entry.mtime or datetime.now(UTC))

    def probe(self) -> None:
        """Whether files can be written here. Raises StoreProblem."""
        table = pa.table({"probe": [1]})
        path = f"probe-{uuid7().hex}"
        self.write(path, table)
        self.remove(path)

    def _put_file(self, home: Path, data: pa.Buffer) -> None:
        try:
            _folder(home.parent)
            part = home.with_name(home.name + _PART)
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(home)
            _sync_folder(home.parent)
        except OSError as error:
            raise StoreProblem(f"{error.strerror} ({home.parent})") from error

    def _put_object(self, path: str, data: pa.Buffer) -> None:
        """A bucket shows an object when its upload is complete."""
        try:
            with self.filesystem.open_output_stream(f"{self.root}/{path}") as stream:
                stream.write(data)
        except OSError as error:
            raise StoreProblem(str(error)) from error

    def _fetch(self, path: str, kept: Path) -> None:
        try:
            _folder(kept.parent)
            descriptor, part = tempfile.mkstemp(dir=kept.parent, suffix=_PART)
            with (
                self.filesystem.open_input_stream(f"{self.root}/{path}") as stream,
                os.fdopen(descriptor, "wb") as file,
            ):
                shutil.copyfileobj(stream, file, 1 << 20)
            Path(part).replace(kept)
        except OSError as error:
            raise StoreProblem(str(error)) from error


def _folder(path: Path) -> None:
    """Inside the data folder nobody else on the machine reads what people did; a place that was named for it, perhaps
    for a Spark of another user, keeps the habits of its own."""
    data: Path = settings.HONGYAN_DATA_DIR
    if data in path.parents:
        for missing in [folder for folder in reversed((path, *path.parents)) if not folder.exists()]:
            missing.mkdir(mode=0o700, exist_ok=True)
    else:
        path.mkdir(parents=True, exist_ok=True)


def open_store(kind: str = "events") -> Store:
    """The installation's place for files of this kind (a folder of its own): ``HONGYAN_HISTORY_URL``, else
    ``history/`` in the data folder. Raises BadPlace."""
    url = settings.HONGYAN_HISTORY_URL
    return _local(str(settings.HONGYAN_DATA_DIR / "history"), kind) if not url else _opened(url, kind)


def _opened(url: str, kind: str) -> Store:
    parts = urlsplit(url)
    if parts.scheme == "s3":
        return _bucket(url, kind, str(settings.HONGYAN_DATA_DIR))
    if parts.scheme in {"", "file"} and parts.path.startswith("/"):
        return _local(unquote(parts.path), kind)
    raise BadPlace("HONGYAN_HISTORY_URL must be a folder (/…) or s3://bucket/folder")


def _local(folder: str, kind: str) -> Store:
    return Store(pafs.LocalFileSystem(), f"{folder.rstrip('/')}/{kind}")


@cache
def _bucket(url: str, kind: str, data_dir: str) -> Store:
    """``s3://bucket/folder?region=…&endpoint=https://…``; the key from settings, else as the environment or the
    machine's role gives it."""
    parts = urlsplit(url)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if not parts.netloc or asked.keys() - {"region", "endpoint"}:
        raise BadPlace("HONGYAN_HISTORY_URL must look like s3://bucket/folder?region=…&endpoint=https://…")
    s3 = S3(
        asked.get("endpoint", ""),
        asked.get("region", ""),
        settings.HONGYAN_HISTORY_S3_KEY,
        settings.HONGYAN_HISTORY_S3_SECRET,
    )
    filesystem = pafs.S3FileSystem(
        access_key=s3.key or None,
        secret_key=s3.secret or None,
        region=s3.region or None,
        endpoint_override=s3.endpoint or None,
        connect_timeout=10,
        request_timeout=60,
    )
    root = "/".join(filter(None, (parts.netloc, parts.path.strip("/"), kind)))
    place = hashlib.sha256(f"{s3.endpoint}\n{root}".encode()).hexdigest()[:16]
    return Store(filesystem, root, Path(data_dir) / "cache" / "history" / place, s3)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_.value_type if pa.types.is_list(type_) else type_))


def _leaf(field: pa.Field) -> str:
    return f"{field.name}.list.element" if pa.types.is_list(field.type) else str(field.name)
