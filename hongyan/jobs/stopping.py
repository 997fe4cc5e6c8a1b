"""Whether this worker process is stopping, for the threads that run jobs."""

import threading

_asked = threading.Event()  # stop at the next good place, if the work can go on later
_grace_over = threading.Event()  # stop in any case


def wanted(resumable: bool) -> bool:  # noqa: FBT001  one positional flag, passed by the handle
    return _grace_over.is_set() or (resumable and _asked.is_set())


def ask() -> None:
    _asked.set()


def end_grace() -> None:
    _grace_over.set()


def reset() -> None:
    _asked.clear()
    _grace_over.clear()
