"""Worker processes that turn raw rows into prepared ones, in order, while the caller writes to the database.

Each is an own interpreter (``python -m hongyan.ingest.preparer``) that talks pickle over its pipes: no database, no
Django, no keys but the one for blind indexes. It ends when its input does, so nothing is left behind by a kill -9.
"""

import os
import pickle
import queue
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, Any

from hongyan.ingest.files.types import Chunk
from hongyan.ingest.prepare import Plan, PreparedChunk, Preparer

SMALL_BYTES = 400_000  # of the file; below this, starting processes costs more than it brings


def default_workers() -> int:
    """One core is left for the database and the writing process."""
    return max(1, min(4, (os.cpu_count() or 2) - 1))


def prepare_here(chunks: Iterable[Chunk], plan: Plan) -> Iterator[PreparedChunk]:
    preparer = Preparer(plan)
    for chunk in chunks:
        yield preparer.chunk(chunk)


def prepare_apart(chunks: Iterable[Chunk], plan: Plan, *, workers: int) -> Iterator[PreparedChunk]:
    """In the order of ``chunks``; at most ``workers`` + 1 chunks are under way, so memory stays flat."""
    idle: queue.SimpleQueue[_Process] = queue.SimpleQueue()
    processes = [_Process(plan) for _ in range(workers)]
    for process in processes:
        idle.put(process)

    def work(chunk: Chunk) -> PreparedChunk:
        process = idle.get()
        try:
            return process.ask(chunk)
        finally:
            idle.put(process)

    threads = ThreadPoolExecutor(workers, thread_name_prefix="prepare")
    pending: deque[Future[PreparedChunk]] = deque()
    read = read_ahead(chunks)
    try:
        for chunk in read:
            pending.append(threads.submit(work, chunk))
            if len(pending) > workers + 1:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        read.close()
        for future in pending:
            future.cancel()
        for process in processes:
            process.close()
        threads.shutdown(wait=True, cancel_futures=True)


def read_ahead(chunks: Iterable[Chunk]) -> Generator[Chunk]:
    """The next chunk is read in a thread while the caller waits for the database. What reading raises comes through."""
    with ThreadPoolExecutor(1, thread_name_prefix="read") as thread:
        source = iter(chunks)
        coming = thread.submit(next, source, None)
        while (chunk := coming.result()) is not None:
            coming = thread.submit(next, source, None)
            yield chunk


class _Process:
    def __init__(self, plan: Plan) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "hongyan.ingest.preparer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._child.stdin is not None  # noqa: S101 - asked for above
        assert self._child.stdout is not None  # noqa: S101
        self._in, self._out = self._child.stdin, self._child.stdout
        send(self._in, plan)

    def ask(self, chunk: Chunk) -> PreparedChunk:
        send(self._in, chunk)
        answer = receive(self._out)
        if not isinstance(answer, PreparedChunk):
            raise RuntimeError("a preparing process ended")  # noqa: TRY004 - it says what happened, not which type
        return answer

    def close(self) -> None:
        for stream in (self._in, self._out):
            try:
                stream.close()
            except OSError:  # the child is gone already
                continue
        self._child.kill()
        self._child.wait()


def send(stream: IO[bytes], value: Any) -> None:
    data = pickle.dumps(value, protocol=5)
    stream.write(len(data).to_bytes(8, "big"))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """The next value, or None at the end."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    return pickle.loads(stream.read(int.from_bytes(head, "big")))  # noqa: S301 - from our own process, over its pipe
