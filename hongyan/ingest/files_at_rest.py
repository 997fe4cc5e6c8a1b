"""Where uploads and exports lie, and for how long."""

import shutil
import uuid
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from hongyan.core.crypto.keyring import keyring
from hongyan.ingest.errors import FileRefused, ImportNotReady
from hongyan.ingest.models import Export, Import
from hongyan.ingest.storage import SealedReader

KEPT = timedelta(days=7)


def folder() -> Path:
    path: Path = settings.HONGYAN_DATA_DIR / "imports"
    return path


def path_of(name: uuid.UUID) -> Path:
    return folder() / name.hex


def check_free_space(needed: int = 0) -> None:
    """PostgreSQL panics on a full disk, so imports stop well before. Raises ImportNotReady."""
    path: Path = settings.HONGYAN_DATA_DIR
    if shutil.disk_usage(path).free - needed < settings.HONGYAN_MIN_FREE_MB * 2**20:
        raise ImportNotReady("disk_full")


def key_of(row: Import | Export) -> bytes:
    return keyring().records.open(bytes(row.stored_key), owner_id=row.pk)


def open_stored(row: Import | Export, name: uuid.UUID | None = None) -> SealedReader:
    """Raises FileRefused when the file has been deleted."""
    stored = name or row.stored_name
    if stored is None:
        raise FileRefused("file_gone")
    try:
        return SealedReader(path_of(stored), key_of(row))
    except FileNotFoundError as error:
        raise FileRefused("file_gone") from error


def remove(name: uuid.UUID | None) -> None:
    if name is not None:
        path_of(name).unlink(missing_ok=True)
