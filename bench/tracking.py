"""Opens and clicks: requests a second through the real web process, each answered after its commit.

Reference: a bare ASGI answer in the same server under the same load, in the same run. The load comes from this machine
too, so both figures are those of a machine that also makes the requests.
"""

import json
import os
import resource
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hongyan.core import embedded

SCALE = float(os.environ.get("SCALE", "1"))
REQUESTS = max(2_000, int(60_000 * SCALE))
MESSAGES = max(200, int(20_000 * SCALE))
CONNECTIONS = 64
AGENT = b"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="hongyan-bench-") as folder:
        os.environ["HONGYAN_DATA_DIR"] = folder
        server = embedded.start(Path(folder))
        os.environ["HONGYAN_DATABASE_URL"] = embedded.url(Path(folder))
        os.environ["DJANGO_SETTINGS_MODULE"] = "hongyan.config.settings"
        try:
            paths = prepare()
            with serving("hongyan.config.asgi:application") as port:
                fire(port, paths[: len(paths) // 10])  # warm
                before = cpu_seconds(Path(folder))
                ours, slow = fire(port, paths)
                cpu = {part: spent - before[part] for part, spent in cpu_seconds(Path(folder)).items()}
            with serving("bench.tracking:bare") as port:
                fire(port, paths[: len(paths) // 10])
                bare_rate, _ = fire(port, paths)
            stored = count_hits()
        finally:
            server.cleanup()
    expected = len(paths) + len(paths) // 10
    if stored != expected:
        sys.exit(f"{expected} hits were answered, {stored} are in the database")
    result = {
        "bench": "tracking",
        "value": round(ours),
        "unit": "requests/s",
        "reference": "bare ASGI answer",
        "reference_value": round(bare_rate),
        "ratio": round(ours / bare_rate, 3),
        "p99_ms": round(slow * 1000, 1),
        "requests": len(paths),
        "connections": CONNECTIONS,
        "cpu_us_a_request": {part: round(spent / len(paths) * 1e6, 1) for part, spent in cpu.items()},
    }
    print(json.dumps(result))


def prepare() -> list[bytes]:
    """Messages of one campaign, and the addresses a mail client would fetch: two opens, then a click."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0, interactive=False)
    from hongyan.accounts.types import system_actor
    from hongyan.content.services import content_version_create
    from hongyan.content.types import MailDraft, SourceKind
    from hongyan.core import clock
    from hongyan.core.sql import SQL
    from hongyan.delivery.links import message_token
    from hongyan.delivery.models import Message
    from hongyan.delivery.outbox import dispatch
    from hongyan.delivery.senders import SenderValues, sender_create
    from hongyan.delivery.types import MessageKey, Origin

    boss = system_actor("bench")
    html = (
        '<html><head><title>x</title></head><body><a href="https://shop.example.com/a">a</a>'
        '<a href="{{ unsubscribe_url }}">b</a></body></html>'
    )
    version = content_version_create(actor=boss, draft=MailDraft(subject="x", kind=SourceKind.HTML, source=html))
    sender = sender_create(actor=boss, values=SenderValues("Shop", "shop@news.example.com", "Shop", "Road 1"))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contacts_contact (public_id, seal_version) "
            "SELECT gen_random_uuid(), 0 FROM generate_series(1, %s)",
            [MESSAGES],
        )
    dispatch(
        origin=Origin.starting("campaign", 1),
        content_version_id=version.pk,
        sender_id=sender.pk,
        topic_id=None,
        members=SQL("SELECT id FROM contacts_contact", {}),
        due_at=clock.now(),
    )
    tokens = [message_token(MessageKey(pk, month)) for pk, month in Message.objects.values_list("id", "month")]
    connection.close()
    paths = []
    for number in range(REQUESTS):
        token = tokens[number % len(tokens)]
        paths.append(f"/c/{token}/0".encode() if number % 3 == 2 else f"/o/{token}.gif".encode())
    return paths


def cpu_seconds(folder: Path) -> dict[str, float]:
    """Processor time so far of the web process, the database's processes and this one, which makes the load."""
    postmaster = int((folder / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
    own = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "web": sum(ticks(pid) for pid in descendants(os.getpid())),
        "postgres": sum(ticks(pid) for pid in descendants(postmaster)),
        "load": own.ru_utime + own.ru_stime,
    }


def descendants(root: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{root}/task").iterdir())
        children = [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid for child in children for pid in (child, *descendants(child))]


def ticks(pid: int) -> float:
    """utime and stime in seconds, see proc_pid_stat(5)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def count_hits() -> int:
    from hongyan.edge.models import Hit

    return Hit.objects.count()


@contextmanager
def serving(application: str) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "asgi", application, "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", "1", "--loop", "uvloop", "--no-ws", "--log-level", "error"]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(Path.cwd())})
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def fire(port: int, paths: list[bytes]) -> tuple[float, float]:
    """Requests a second, and the 99th percentile of the time to answer in seconds. One thread over all connections,
    each with one request under way: threads of their own would spend more on taking turns than on asking."""
    clients = [Client(port, paths[index::CONNECTIONS]) for index in range(min(CONNECTIONS, len(paths)))]
    poll = select.epoll()
    by_number = {client.link.fileno(): client for client in clients}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    began = time.perf_counter()
    for client in clients:
        client.ask()
    running = len(clients)
    while running:
        ready = poll.poll(30)
        if not ready:
            sys.exit("the server answers no more")
        for number, _ in ready:
            if by_number[number].take() and not by_number[number].ask():
                poll.unregister(number)
                running -= 1
    seconds = time.perf_counter() - began
    poll.close()
    latencies = [latency for client in clients for latency in client.latencies]
    for client in clients:
        client.link.close()
    if len(latencies) != len(paths):
        sys.exit(f"only {len(latencies)} of {len(paths)} requests were answered")
    return len(paths) / seconds, statistics.quantiles(latencies, n=100)[98]


class Client:
    """One connection and what it still has to ask."""

    def __init__(self, port: int, paths: list[bytes]) -> None:
        self.link = socket.create_connection(("127.0.0.1", port))
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.latencies: list[float] = []
        self._requests = iter(
            [b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nUser-Agent: " + AGENT + b"\r\n\r\n" for path in paths]
        )
        self._data = b""
        self._began = 0.0

    def ask(self) -> bool:
        """Send the next request; False when there is none."""
        request = next(self._requests, None)
        if request is None:
            return False
        self._began = time.perf_counter()
        self.link.sendall(request)
        return True

    def take(self) -> bool:
        """Read what has come; whether the answer is whole."""
        more = self.link.recv(65_536)
        if not more:
            raise ConnectionError("the server closed the connection")
        data = self._data = self._data + more
        head, end, body = data.partition(b"\r\n\r\n")
        if not end:
            return False
        if head[9:12] not in {b"200", b"302"}:
            raise ConnectionError(head[:40].decode())
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(body) < length:
            return False
        self.latencies.append(time.perf_counter() - self._began)
        self._data = b""
        return True


async def bare(scope: dict[str, object], receive: object, send: object) -> None:
    """The reference: the cheapest answer this server can give."""
    del receive
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": b"ok"})  # type: ignore[operator]


if __name__ == "__main__":
    main()
