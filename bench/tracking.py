"""Opens and clicks: requests a second through the real web process, each answered after its commit.

Reference: a bare ASGI answer in the same server under the same load, in the same run. The load comes from this machine
too, so both figures are those of a machine that also makes the requests.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hongyan.core import embedded

SCALE = float(os.environ.get("SCALE", "1"))
REQUESTS = max(2_000, int(60_000 * SCALE))
MESSAGES = max(200, int(20_000 * SCALE))
CONNECTIONS = 192
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
                ours, slow = fire(port, paths)
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
    """Requests a second, and the 99th percentile of the time to answer in seconds."""
    latencies: list[float] = []
    lock = threading.Lock()
    shares = [paths[index::CONNECTIONS] for index in range(CONNECTIONS)]

    def client(share: list[bytes]) -> None:
        mine = []
        with socket.create_connection(("127.0.0.1", port)) as link:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for path in share:
                began = time.perf_counter()
                link.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nUser-Agent: " + AGENT + b"\r\n\r\n")
                read_answer(link)
                mine.append(time.perf_counter() - began)
        with lock:
            latencies.extend(mine)

    threads = [threading.Thread(target=client, args=(share,)) for share in shares if share]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if len(latencies) != len(paths):
        sys.exit(f"only {len(latencies)} of {len(paths)} requests were answered")
    return len(paths) / seconds, statistics.quantiles(latencies, n=100)[98]


def read_answer(link: socket.socket) -> None:
    data = link.recv(4096)
    while b"\r\n\r\n" not in data:
        more = link.recv(4096)
        if not more:
            raise ConnectionError("the server closed the connection")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    if head[9:12] not in {b"200", b"302"}:
        raise ConnectionError(head[:40].decode())
    lower = head.lower()
    length = int(lower.split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += link.recv(4096)


async def bare(scope: dict[str, object], receive: object, send: object) -> None:
    """The reference: the cheapest answer this server can give."""
    del receive
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": b"ok"})  # type: ignore[operator]


if __name__ == "__main__":
    main()
