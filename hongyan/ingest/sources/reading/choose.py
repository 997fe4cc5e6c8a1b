import time
from typing import Any

from hongyan.ingest.sources.reading.base import Reader
from hongyan.ingest.sources.reading.network import Wait
from hongyan.ingest.sources.types import SourceKind


def reader_of(kind: str, place: dict[str, Any], secrets: dict[str, str], wait: Wait = time.sleep) -> Reader:
    """Opens nothing yet. Imported where used: dlt takes a second to load, which pages need not wait for."""
    if kind == SourceKind.SQL:
        from hongyan.ingest.sources.reading.sql import SQLReader

        return SQLReader(place, secrets)
    if kind == SourceKind.REST:
        from hongyan.ingest.sources.reading.rest import RESTReader

        return RESTReader(place, secrets, wait)
    from hongyan.ingest.sources.reading.files import FilesReader

    return FilesReader(place, secrets)
