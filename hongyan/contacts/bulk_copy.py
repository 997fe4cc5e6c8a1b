"""COPY in PostgreSQL's binary form, and writing on while Python builds what comes next."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from types import TracebackType
from typing import Any, Self

from django.db.backends.utils import CursorWrapper

COPY_START = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
COPY_END = b"\xff\xff"
_SLICE = 512  # rows a write: the server begins with the first ones while the others are still being built
_FEW = 200  # rows; below this a thread costs more than it brings


def copy_binary(cursor: CursorWrapper, table: str, columns: Sequence[str], rows: Iterable[bytes]) -> None:
    """rows: complete binary tuples, column count included. table and columns come from code, never from input.

    Raises Django's database errors, as ``cursor.execute`` does.
    """
    text = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT binary)"
    with cursor.db.wrap_database_errors, cursor.copy(text) as copy:
        for part in _slices(chain((COPY_START,), rows, (COPY_END,))):
            copy.write(part)


def _slices(rows: Iterator[bytes]) -> Iterator[bytes]:
    while part := b"".join(islice(rows, _SLICE)):
        yield part


class InOrder:
    """Statements of one connection, one after the other in a thread beside this one, which builds the next meanwhile:
    the server and Python take turns no longer. Leaving the block waits for all and raises the first failure.

    Inside the block nothing but these statements may use the connection. rows: how many there will be, about; for a few
    everything happens at once and here.
    """

    def __init__(self, rows: int) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bulk") if rows > _FEW else None
        self._begun: list[Future[None]] = []

    def then(self, act: Callable[..., None], *values: Any) -> None:
        if self._thread is None:
            act(*values)
        else:
            self._begun.append(self._thread.submit(act, *values))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is None:
            return
        try:
            if kind is None:
                for done in self._begun:
                    done.result()
        finally:
            self._thread.shutdown(wait=True, cancel_futures=True)
