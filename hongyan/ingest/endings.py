"""How jobs of imports end: what went wrong stands with the import and is told as a code."""

from collections.abc import Iterator
from contextlib import contextmanager

from hongyan.core.clock import now
from hongyan.ingest.errors import FileRefused, ImportBusy, IngestRefused
from hongyan.ingest.models import Import
from hongyan.ingest.storage import StoredFileBroken
from hongyan.ingest.types import ImportState
from hongyan.jobs.errors import JobCancelled, JobFailed


@contextmanager
def closing(import_id: int) -> Iterator[None]:
    """Around the real run. Whatever else ends it (a lost worker, a pause, another who runs it) leaves it as started."""
    try:
        yield
    except JobCancelled:
        _close(import_id, ImportState.CANCELLED)
        raise
    except ImportBusy:
        raise
    except IngestRefused as error:
        _close(import_id, ImportState.FAILED, error)
        raise JobFailed(error.code) from error
    except StoredFileBroken as error:
        _close(import_id, ImportState.FAILED, FileRefused("file_broken"))
        raise JobFailed("file_broken") from error


@contextmanager
def failing() -> Iterator[None]:
    """Around a trial run: it leaves nothing to close."""
    try:
        yield
    except IngestRefused as error:
        raise JobFailed(error.code) from error
    except StoredFileBroken as error:
        raise JobFailed("file_broken") from error


def _close(import_id: int, state: ImportState, error: IngestRefused | None = None) -> None:
    Import.objects.filter(pk=import_id, state=ImportState.STARTED).update(
        state=state,
        finished_at=now(),
        error_code=error.code if error else "",
        error_params={key: str(value)[:100] for key, value in error.params.items()} if error else {},
    )
