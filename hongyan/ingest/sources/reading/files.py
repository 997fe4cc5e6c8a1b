"""Files in a folder of this server or in an S3 bucket. Listed by dlt; read by the import's own careful readers.

A file is known by its path, time of change and size: whoever copies an old file in brings a new one all the same,
which a cursor over times would pass over.
"""

import fnmatch
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import orjson

from hongyan.ingest.errors import FileRefused
from hongyan.ingest.files.delimited import DelimitedReader
from hongyan.ingest.files.preview import look
from hongyan.ingest.files.types import RowFault
from hongyan.ingest.files.workbook import check_archive, sheet_rows
from hongyan.ingest.sources.errors import SourceFailed, SourceRefused
from hongyan.ingest.sources.reading import glue  # before dlt itself
from hongyan.ingest.sources.reading.base import PAGE, SAMPLE, Files, Known, columns_of, flat
from hongyan.ingest.sources.reading.folders import inside
from hongyan.ingest.sources.reading.network import allowed_address
from hongyan.ingest.sources.reading.scrub import scrub
from hongyan.ingest.sources.types import Failure, Looked, Page, Record

from dlt.sources.filesystem import filesystem  # isort: skip

FORMATS = ("csv", "xlsx", "jsonl", "parquet")
MAX_FILES = 10_000
_MAX_LINE = 1 << 20
_ENDINGS = {
    "csv": "csv", "tsv": "csv", "txt": "csv", "xlsx": "xlsx", "jsonl": "jsonl", "ndjson": "jsonl", "json": "jsonl",
    "parquet": "parquet",
}  # fmt: skip
_Item = Record | Failure


class FilesReader:
    """place: url (a folder, or s3://bucket/prefix), pattern, format ("" by the file's ending), endpoint_url, region,
    key_id, private. secrets: secret (the S3 key)."""

    resumes = True

    def __init__(self, place: dict[str, Any], secrets: dict[str, str]) -> None:
        self._place, self._secret = place, secrets.get("secret", "")
        self._s3 = place.get("url", "").startswith("s3://")

    def look(self) -> Looked:
        with self._failures():
            found = self._listed()
            names = [str(item["relative_path"]) for item in found[:500]]
            if not found:
                return Looked([], [], [])
            sample = list(islice((item for item in self._items(found[-1]) if not isinstance(item, Failure)), SAMPLE))
            return Looked(columns_of(sample), sample, names)

    def pages(self, known: Known, begin_file: Files) -> Iterator[Page]:
        with self._failures():
            for item in self._listed():
                path, version = str(item["relative_path"])[:1024], _version(item)
                before = known.files.get((path, version))
                if before is not None and before.finished:
                    continue
                file_id = before.id if before is not None else begin_file(path, version)
                yield from self._file(item, path, file_id, before.rows if before is not None else 0)

    def _file(self, item: Any, path: str, file_id: int, passed: int) -> Iterator[Page]:
        rows = self._items(item)
        for _ in islice(rows, passed):  # taken by an earlier run that broke off here
            pass
        at = passed
        while batch := list(islice(rows, PAGE)):
            at += len(batch)
            faults = tuple(entry for entry in batch if isinstance(entry, Failure))
            records = [entry for entry in batch if not isinstance(entry, Failure)]
            yield Page(records, None, path[-200:], faults, file_id, at, file_end=len(batch) < PAGE)
        yield Page([], None, path[-200:], (), file_id, at, file_end=True)

    def _listed(self) -> list[Any]:
        """Oldest first, so that a later version of the same thing comes last."""
        resource = filesystem(self._url(), credentials=self._client(), file_glob=self._glob())
        pattern = self._place.get("pattern") or "*"
        found = [item for page, _ in glue.pages(resource, "") for item in page]
        found = [item for item in found if fnmatch.fnmatch(str(item["file_name"]), pattern.rpartition("/")[2] or "*")]
        if not self._s3:  # a link inside the folder must not lead out of it
            found = [item for item in found if self._is_inside(item)]
        if len(found) > MAX_FILES:
            raise SourceFailed("too_many_files", f"{len(found):,}", permanent=True)
        return sorted(found, key=lambda item: (item["modification_date"], item["file_url"]))

    def _is_inside(self, item: Any) -> bool:
        try:
            inside(str(item.local_file_path))
        except SourceRefused:
            return False
        return True

    def _url(self) -> str:
        if self._s3:
            return str(self._place["url"]).rstrip("/")
        path = inside(self._place.get("url", ""))
        if not path.is_dir():
            raise SourceFailed("folder_missing", path.name[:80], permanent=True)
        return path.as_uri()

    def _glob(self) -> str:
        pattern = str(self._place.get("pattern") or "*").lstrip("/")
        if ".." in pattern.split("/"):
            raise SourceRefused("pattern_malformed")
        return pattern

    def _client(self) -> Any:
        if not self._s3:
            from fsspec.implementations.local import LocalFileSystem

            return LocalFileSystem(skip_instance_cache=True)
        from s3fs import S3FileSystem

        endpoint = self._place.get("endpoint_url") or None
        if endpoint:
            parts = urlsplit(endpoint)
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                raise SourceRefused("address_malformed")
            port = parts.port or (443 if parts.scheme == "https" else 80)
            allowed_address(parts.hostname, port, private=bool(self._place.get("private")))
        return S3FileSystem(
            key=self._place.get("key_id") or "none",
            secret=self._secret or "none",
            endpoint_url=endpoint,
            client_kwargs={"region_name": self._place.get("region") or "us-east-1"},
            config_kwargs={"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 3}},
            use_listings_cache=False,
            skip_instance_cache=True,
        )

    def _items(self, item: Any) -> Iterator[_Item]:
        name = str(item["file_name"])
        kind = self._place.get("format") or _ENDINGS.get(name.rpartition(".")[2].lower(), "")
        if kind not in FORMATS:
            raise SourceFailed("format_unknown", name[-80:], permanent=True)
        with item.open(mode="rb", compression="disable") as file:
            try:
                if kind == "jsonl":
                    yield from _json_lines(file)
                elif kind == "parquet":
                    yield from _parquet(file)
                else:
                    yield from _table(file)
            except FileRefused as error:
                raise SourceFailed(f"file_unreadable:{error.code}", name[-80:], permanent=True) from error

    @contextmanager
    def _failures(self) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

        try:
            yield
        except (SourceFailed, SourceRefused, FileRefused):
            raise
        except (OSError, ClientError, BotoCoreError) as error:
            raise self._failure(error) from None

    def _failure(self, error: Exception) -> SourceFailed:
        text = scrub(str(error), [self._secret, self._place.get("key_id") or ""])
        if isinstance(error, PermissionError) or "InvalidAccessKeyId" in text or "SignatureDoesNotMatch" in text:
            return SourceFailed("login_refused", text, permanent=True)
        if isinstance(error, FileNotFoundError):
            return SourceFailed("folder_missing", text, permanent=True)
        return SourceFailed("cannot_connect" if self._s3 else "file_error", text)


def _version(item: Any) -> str:
    return f"{item['modification_date'].isoformat()} {item['size_in_bytes']}"[:80]


def _table(file: BinaryIO) -> Iterator[_Item]:
    preview = look(file, rows=1)
    if preview.dialect.from_workbook:
        check_archive(file)
        yield from _workbook(file, preview.sheet, has_header=preview.dialect.has_header)
        return
    reader = DelimitedReader(file, preview.dialect)
    names = _names(reader.header)
    for line, cells in reader.rows():
        if isinstance(cells, RowFault):
            yield Failure({"line": line, "text": cells.value[:500]}, cells.code.value)
        else:
            yield dict(zip(names, cells, strict=True))


def _workbook(file: BinaryIO, sheet: str, *, has_header: bool) -> Iterator[_Item]:
    names: list[str] = []
    for _line, cells in sheet_rows(file, sheet):
        if not names:
            names = _names(cells if has_header else [""] * len(cells))
            if has_header:
                continue
        yield dict(zip(names, [*cells, *[""] * len(names)], strict=False))


def _names(header: Iterable[str]) -> list[str]:
    """Every column has a name of its own."""
    names: list[str] = []
    for place, cell in enumerate(header, start=1):
        name = cell.strip()[:190] or f"column {place}"
        names.append(name if name not in names else f"{name} {place}")
    return names


def _json_lines(file: BinaryIO) -> Iterator[_Item]:
    number = 0
    while line := file.readline(_MAX_LINE + 1):
        number += 1
        if not line.strip():
            continue
        try:
            if len(line) > _MAX_LINE:
                raise ValueError("too long")
            raw = orjson.loads(line)
        except ValueError:
            yield Failure({"line": number, "text": line[:500].decode("utf-8", "replace")}, "not_json")
            continue
        yield from map(flat, raw if isinstance(raw, list) else [raw])


def _parquet(file: BinaryIO) -> Iterator[_Item]:
    from pyarrow import ArrowInvalid
    from pyarrow import parquet as pq

    try:
        for batch in pq.ParquetFile(file).iter_batches(batch_size=PAGE):
            yield from map(flat, batch.to_pylist())
    except ArrowInvalid as error:
        raise FileRefused("file_broken") from error
