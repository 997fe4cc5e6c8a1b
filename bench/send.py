"""Mails per second from the outbox to a real SMTP sink: personalised, tracked, journalled, logged, told as events.

Everything the product does is on: consent and suppression are checked, sealed identities opened, 20 kB rendered with
tracked links and a pixel, the dot committed before it is given, the answer recorded, the fact appended. PostgreSQL is
the embedded one with full durability. The reference, before and after in the same minute, is Postfix's C generator
``smtp-source`` to the same ``smtp-sink``: the same number of mails of the same size, 16 connections, nothing recorded.

    python -m bench.send              SCALE=0.1 for a quick look; WORKERS=2 sender processes
"""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.outbox_data import installation, people, sender

WIRE_SIZE = 20_480
SEARCH = "/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", "")


def main() -> None:
    tools = [shutil.which(name, path=SEARCH) for name in ("smtp-sink", "smtp-source")]
    if not all(tools):
        sys.exit("smtp-sink and smtp-source are needed: apt-get install postfix (it need not run), then again")
    count = max(500, int(60_000 * float(os.environ.get("SCALE", "1"))))
    workers = int(os.environ.get("WORKERS", "2"))
    with installation() as folder, _sink(str(tools[0])) as sink:
        port = sink[1]
        size = _prepare(count)
        before = _reference(str(tools[1]), port, count // 2, size)
        meters: dict[str, Callable[[], float]] = {
            "postgresql": lambda: _server_cpu(folder),
            "sink": lambda: _process_cpu(sink[0]),
        }
        begun = {name: meter() for name, meter in meters.items()}
        processors = _processors()
        value, spent = _ours(port, count, workers)
        idle, busy = (now - then for now, then in zip(_processors(), processors, strict=True))
        spending = {"senders": spent} | {name: meter() - begun[name] for name, meter in meters.items()}
        cpu = {name: round(seconds / count * 1e6) for name, seconds in spending.items()}
        after = _reference(str(tools[1]), port, count // 2, size)
        told = _check(count)
    reference = (before + after) / 2
    print(f"{count:,} mails of {size:,} bytes on the wire, {workers} sender processes, {told:,} events")
    line = {
        "bench": "send",
        "value": round(value),
        "unit": "mails/s",
        "reference": "smtp-source",
        "reference_value": round(reference),
        "ratio": round(value / reference, 2),
        "cpu_us_per_mail": cpu,
        "processors_idle": round(idle / max(idle + busy, 1), 2),
    }
    print(json.dumps(line))


def _prepare(count: int) -> int:
    """Fill the outbox; the size of one finished mail."""
    from hongyan.accounts.types import system_actor
    from hongyan.content.services import content_version_create
    from hongyan.content.types import MailDraft, SourceKind
    from hongyan.core import clock
    from hongyan.core.sql import SQL
    from hongyan.delivery.lane.claims import claim_take
    from hongyan.delivery.lane.prepare import Preparer
    from hongyan.delivery.services import dispatch
    from hongyan.delivery.types import Origin

    topic = people(count)
    draft = MailDraft(subject="{{ contact.full_name }},您的九月专享", kind=SourceKind.HTML, source=_html())
    version = content_version_create(actor=system_actor("bench"), draft=draft)
    values = {
        "content_version_id": version.pk,
        "sender_id": sender(),
        "topic_id": topic,
        "due_at": clock.now(),
    }
    one = SQL("SELECT id FROM contacts_contact WHERE id = 1")
    dispatch(origin=Origin.starting("sample", 1), members=one, **values)  # type: ignore[arg-type]
    from datetime import timedelta

    rows = claim_take(worker="sample", limit=1, lease=timedelta(hours=1))
    size = len(Preparer().prepare(rows).works[0].build().raw)
    everybody = SQL("SELECT id FROM contacts_contact")
    dispatch(origin=Origin.starting("campaign", 1), members=everybody, **values)  # type: ignore[arg-type]
    if size < WIRE_SIZE:
        raise SystemExit(f"the mail has {size} bytes, {WIRE_SIZE} are promised")
    return size


def _html() -> str:
    """A mail of ordinary make: products with images, prices and tracked links, until it is large enough."""
    product = """<tr><td style="padding:12px;border-bottom:1px solid #e5e7eb"><a href="https://shop.example.com/p/{n}">
<img src="https://img.example.com/p/{n}.jpg" width="120" height="120" alt="商品 {n}"></a></td>
<td style="padding:12px;font:14px/1.6 'PingFang SC',sans-serif;color:#1f2937"><b>四季常青陶瓷茶具礼盒第 {n} 款</b><br>
手工上釉,适合送礼;{{{{ contact.city | default("您的城市") }}}}地区两日内送达,七天无理由退换。<br>
<b>¥{n}9.00</b></td></tr>
"""
    rows = "".join(product.format(n=number) for number in range(1, 22))
    return f"""<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>九月专享</title></head>
<body style="margin:0;background:#f3f4f6"><table role="presentation" width="600" align="center" style="background:#fff">
<tr><td colspan="2" style="padding:24px"><h1>{{{{ contact.full_name }}}},您好</h1><p>感谢一直以来的支持。</p></td></tr>
{rows}<tr><td colspan="2" style="padding:24px;font-size:12px;color:#6b7280">鸿雁商贸有限公司 · 上海市示例路 1 号
<a href="{{{{ unsubscribe_url }}}}">退订</a></td></tr></table></body></html>"""


@contextlib.contextmanager
def _sink(program: str) -> Iterator[tuple[int, int]]:
    """Process and port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([program, *user, f"127.0.0.1:{port}", "512"], cwd="/")
    try:
        for _ in range(500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.01)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait()


def _process_cpu(number: int) -> float:
    """User and system seconds of one process, and of its children that have ended (Linux)."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _server_cpu(folder: Path) -> float:
    """The database server with all its processes."""
    (pid_file,) = folder.rglob("postmaster.pid")
    server = int(pid_file.read_text().split()[0])
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return sum(_process_cpu(number) for number in (server, *map(int, children)))


def _processors() -> tuple[int, int]:
    """Idle and busy ticks of the whole machine, whoever was busy (Linux)."""
    ticks = list(map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]))
    idle = ticks[3] + ticks[4]
    return idle, sum(ticks) - idle


def _reference(program: str, port: int, count: int, size: int) -> float:
    command = [program, "-d", "-s", "16", "-m", str(count), "-l", str(size), "-f", "a@x.test", "-t", "b@y.test"]
    begun = time.perf_counter()
    subprocess.run([*command, f"127.0.0.1:{port}"], check=True)
    return count / (time.perf_counter() - begun)


def _ours(port: int, count: int, workers: int) -> tuple[float, float]:
    """Mails a second from the starting signal until the last worker has recorded everything; processor seconds."""
    command = [sys.executable, "-m", "bench.send", "--worker", str(port)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(workers)]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    begun = time.perf_counter()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    spent = []
    for process in processes:
        assert process.stdout is not None
        spent.append(
            process.stdout.readline()
        )  # it has recorded everything; what follows is Python taking itself apart
    elapsed = time.perf_counter() - begun
    for process in processes:
        process.communicate()
    if any(process.returncode for process in processes):
        raise SystemExit("a sender process failed")
    return count / elapsed, sum(map(float, spent))


def _worker(port: int) -> None:
    import django

    django.setup()
    import uvloop

    from hongyan.delivery.sender import SenderOptions, run_sender
    from hongyan.delivery.transports.relay import Relay

    relay = Relay(host="127.0.0.1", port=port, tls="none", ehlo_name="bench.example")
    options = SenderOptions(connections=int(os.environ.get("CONNECTIONS", "16")), drain=True, poll_s=0.02)
    print("ready", flush=True)
    sys.stdin.readline()
    idle = time.process_time()
    name = f"bench-{os.getpid()}"
    if os.environ.get("PROFILE"):
        import cProfile

        profile = cProfile.Profile()
        profile.runcall(
            lambda: asyncio.run(run_sender(asyncio.Event(), worker_name=name, relay=relay, options=options))
        )
        profile.dump_stats(f"{os.environ['PROFILE']}.{os.getpid()}")
        return
    uvloop.run(run_sender(asyncio.Event(), worker_name=name, relay=relay, options=options))
    print(time.process_time() - idle, flush=True)


def _check(count: int) -> int:
    """All are sent, each has its fact; returns how many facts."""
    from hongyan.delivery.models import Message
    from hongyan.delivery.types import MessageState
    from hongyan.events.models import Event

    sent = Message.objects.filter(origin_kind="campaign", state=MessageState.SENT, content_sha256__isnull=False).count()
    told = Event.objects.filter(name="email_sent").count()
    if sent != count or told != count:
        raise SystemExit(f"{sent} of {count} sent, {told} told")
    return told


if __name__ == "__main__":
    if "--worker" in sys.argv:
        _worker(int(sys.argv[-1]))
    else:
        main()
