"""Events a second through the real web process, each acknowledged after its commit; first single events, then batches.
Then the lane that makes contacts and facts of what was accepted, until all of it is filed.

Reference: COPY of the same events into a bare table, a batch a transaction, in the same run. The load comes from this
machine too: raw sockets and requests made beforehand, several on the way at once on few connections.
"""

import base64
import json
import os
import selectors
import socket
import sys
import tempfile
import time
from pathlib import Path

from bench.tracking import cpu_seconds, serving
from hongyan.core import embedded

SCALE = float(os.environ.get("SCALE", "1"))
BATCHES = max(100, int(6_000 * SCALE))  # of CALLS
CALLS = 100
SINGLES = max(2_000, int(60_000 * SCALE))
USERS = max(100, int(50_000 * SCALE))  # who they tell of: all new at first, thirteen events each
CONNECTIONS = 64


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="hongyan-bench-") as folder:
        os.environ["HONGYAN_DATA_DIR"] = folder
        server = embedded.start(Path(folder))
        os.environ["HONGYAN_DATABASE_URL"] = embedded.url(Path(folder))
        os.environ["DJANGO_SETTINGS_MODULE"] = "hongyan.config.settings"
        try:
            secret = prepare()
            batches = [request("/v1/batch", batch(number), secret) for number in range(BATCHES)]
            singles = [request("/v1/track", call(number), secret) for number in range(SINGLES)]
            with serving("hongyan.config.asgi:application") as port:
                fire(port, singles[:500])  # warm
                before = cpu_seconds(Path(folder))
                one = fire(port, singles)
                singly = spent(folder, before, SINGLES)
                before = cpu_seconds(Path(folder))
                rate = fire(port, batches) * CALLS
                batched = spent(folder, before, BATCHES * CALLS)
            stored = waiting()
            reference = bare_copy()
            filed, filing = drain(folder, stored)
        finally:
            server.cleanup()
    expected = 500 + SINGLES + BATCHES * CALLS
    if stored != expected:
        sys.exit(f"{expected} events were acknowledged, {stored} are in the inbox")
    single = {"bench": "intake_single", "value": round(one), "unit": "requests/s", "requests": SINGLES}
    print(json.dumps(single | {"cpu_us_per_request": singly}))
    result = {
        "bench": "intake",
        "value": round(rate),
        "unit": "events/s",
        "reference": "bare COPY",
        "reference_value": round(reference),
        "ratio": round(rate / reference, 3),
        "single_requests_per_s": round(one),
        "events": BATCHES * CALLS,
        "cpu_us_per_event": batched,
        "filed_per_s": round(filed),
        "filing_cpu_us_per_event": filing,
    }
    print(json.dumps(result))


def prepare() -> str:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0, interactive=False)
    from hongyan.accounts.types import system_actor
    from hongyan.ingest.intake.write_keys import MOST_RATE, write_key_create

    secret = write_key_create(actor=system_actor("bench"), name="Bench", kind="server", rate_limit=MOST_RATE).secret
    connection.close()
    return secret


def call(number: int) -> dict[str, object]:
    """About 400 bytes, as a shop sends them."""
    return {
        "type": "track",
        "event": "Product Viewed",
        "userId": f"user-{number % USERS}",
        "messageId": f"message-{number:012d}-0123456789abcdef",
        "timestamp": "2026-11-22T08:00:00.123Z",
        "properties": {
            "product_id": f"p-{number % 997}",
            "sku": f"SKU-{number % 997}",
            "category": "tea",
            "name": "龙井 250 g",
            "price": 19.9 + number % 100,
            "currency": "CNY",
            "quantity": 1,
            "url": "https://shop.example.com/p/longjing",
        },
        "context": {"library": {"name": "bench", "version": "1"}, "locale": "zh-CN"},
    }


def batch(number: int) -> dict[str, object]:
    return {
        "batch": [call(SINGLES + number * CALLS + place) for place in range(CALLS)],
        "sentAt": "2026-11-22T08:00:01.000Z",
    }


def request(path: str, body: dict[str, object], secret: str) -> bytes:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    key = base64.b64encode(f"{secret}:".encode()).decode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {key}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


def fire(port: int, requests: list[bytes]) -> float:
    """Requests a second. One request at a time on each connection; one thread looks after them all."""
    chooser = selectors.DefaultSelector()
    queue = iter(requests)
    answered = 0
    links: dict[int, socket.socket] = {}

    def more(link: socket.socket) -> bool:
        content = next(queue, None)
        if content is None:
            chooser.unregister(link)
            link.close()
            return False
        link.sendall(content)
        return True

    began = time.perf_counter()
    for _ in range(min(CONNECTIONS, len(requests))):
        link = socket.create_connection(("127.0.0.1", port))
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        chooser.register(link, selectors.EVENT_READ)
        links[link.fileno()] = link
        more(link)
    while answered < len(requests):
        for key, _ in chooser.select():
            link = links[key.fd]
            answer = link.recv(4096)
            if not answer.startswith(b"HTTP/1.1 200") or not answer.endswith(b'{"success":true}'):
                sys.exit(f"not acknowledged: {answer[:300]!r}")
            answered += 1
            more(link)
    return len(requests) / (time.perf_counter() - began)


def waiting() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(calls) FROM ingest_intakerequest")
        return int(cursor.fetchone()[0])


def spent(folder: str, before: dict[str, float], number: int) -> dict[str, float]:
    """Processor time since then in microseconds for each of so many, by process."""
    now = cpu_seconds(Path(folder))
    return {part: round((now[part] - before[part]) * 1e6 / number, 1) for part in ("web", "postgres")}


def drain(folder: str, events: int) -> tuple[float, dict[str, float]]:
    """Events a second from the inbox to facts of contacts, one lane, nothing else running; and what it costs."""
    from django.db import connection

    from hongyan.ingest.intake.lane import take_calls

    before, began = cpu_seconds(Path(folder)), time.perf_counter()
    while take_calls():
        pass
    seconds = time.perf_counter() - began
    now = cpu_seconds(Path(folder))
    costs = {
        {"load": "lane"}.get(part, part): round((now[part] - before[part]) * 1e6 / events, 1)
        for part in ("load", "postgres")
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT contact_id) FROM events_event WHERE name = 'product_viewed'")
        stored, people = cursor.fetchone()
    wanted = SINGLES + BATCHES * CALLS  # the warm ones were sent twice
    if (stored, people) != (wanted, min(USERS, wanted)):
        sys.exit(f"{wanted} events of {USERS} people were to be filed, {stored} of {people} are")
    return events / seconds, costs


def bare_copy() -> float:
    """Events a second: the same JSON, an event a row, a batch a transaction, nothing else."""
    from django.db import connection

    rows = [
        [json.dumps(item, ensure_ascii=False) for item in batch(number)["batch"]]  # type: ignore[attr-defined]
        for number in range(min(BATCHES, 1_000))
    ]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_bare (content text)")
        began = time.perf_counter()
        for contents in rows:
            with cursor.copy("COPY bench_bare FROM STDIN") as copy:
                copy.write("\n".join(text.replace("\\", "\\\\") for text in contents) + "\n")
        seconds = time.perf_counter() - began
        cursor.execute("DROP TABLE bench_bare")
    return len(rows) * CALLS / seconds


if __name__ == "__main__":
    main()
