"""One parent for web, worker and mail catcher: starts them, watches them, stops them cleanly.

A child that dies is started again with a growing pause; the supervisor itself holds no state, so killing it loses
nothing. Children notice a lost parent (Linux: parent-death signal) and end.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

STOP_PATIENCE_S = 12.0
_PAUSES_S = (0.5, 1, 2, 5, 10, 30)


@dataclass(slots=True)
class Child:
    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started_at: float = 0.0
    start_after: float = 0.0
    environment: dict[str, str] = field(default_factory=dict)


class Supervisor:
    def __init__(self, children: list[Child], *, say: Callable[[str], None]) -> None:
        self.children = children
        self._tell = say
        self._stop = threading.Event()

    def start(self) -> None:
        on_end(lambda *_: self._stop.set())
        for child in self.children:
            self._spawn(child)

    def watch(self) -> None:
        """Until asked to stop. Restarts what dies."""
        while not self._stop.wait(0.2):
            for child in self.children:
                self._look_after(child)

    def stop_requested(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask all to end, wait, insist."""
        self._stop.set()
        if any(child.process is not None and child.process.poll() is None for child in self.children):
            self._say("Stopping …")
        for child in self.children:
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + STOP_PATIENCE_S
        for child in self.children:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _sweep(child.process)
                child.process.wait()
            else:
                _sweep(child.process)

    def _say(self, text: str) -> None:
        with contextlib.suppress(OSError):  # the terminal may be gone; the children are not, and must be looked after
            self._tell(text)

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_after:
                self._spawn(child)
            return
        code = child.process.poll()
        if code is None:
            if child.failures and now - child.started_at > 60:
                child.failures = 0
            return
        _sweep(child.process)
        pause = _PAUSES_S[min(child.failures, len(_PAUSES_S) - 1)]
        child.failures += 1
        child.process, child.start_after = None, now + pause
        self._say(f"{child.name} ended with code {code}; starting it again in {pause:g} s")

    def _spawn(self, child: Child) -> None:
        child.started_at = time.monotonic()
        # A session of its own: the terminal's Ctrl-C reaches only the parent, which stops the children in order.
        child.process = subprocess.Popen(  # noqa: S603  our own interpreter and modules
            [sys.executable, "-m", "hongyan.config.follow", str(os.getpid()), *child.command],
            env={**os.environ, **child.environment},
            start_new_session=True,
        )


def on_end(act: Callable[..., object]) -> None:
    """When somebody asks this process to end: Ctrl-C, ``kill``, or a terminal that was closed, unless it was started so
    that it outlives its terminal (nohup). A shell that starts it in the background ignores Ctrl-C for it; whoever sends
    that signal all the same means it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, act)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, act)


def _sweep(process: "subprocess.Popen[bytes]") -> None:
    """Nobody of a child's session is left behind: a web server whose parent was killed would keep the port."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def port_is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
