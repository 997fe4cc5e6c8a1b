"""kill -9 under load: every acknowledged event arrives, none arrives twice."""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from django.db import connection

from hongyan.accounts.types import system_actor
from hongyan.events.models import Event
from hongyan.ingest.intake import lane
from hongyan.ingest.intake.write_keys import write_key_create
from hongyan.ingest.models import IntakeRequest, QuarantinedRecord
from tests.browser import _environment, _free_port

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).parents[2]
KILLS = 3
CALLS = 40


class Load:
    """Clients that send batches until told to stop, each batch again until it is acknowledged, as libraries do."""

    def __init__(self, port: int, secret: str) -> None:
        self._port = port
        self._auth = "Basic " + base64.b64encode(f"{secret}:".encode()).decode()
        self._stop = threading.Event()
        self.acknowledged: list[str] = []
        self.failures = 0
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(4)]
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, client: int) -> None:
        batch = 0
        while not self._stop.is_set():
            ids = [f"{client}-{batch}-{place}" for place in range(CALLS)]
            while not self._send(ids) and not self._stop.is_set():
                self.failures += 1
                time.sleep(0.05)  # a client's own pause before it tries again
            batch += 1

    def _send(self, ids: list[str]) -> bool:
        calls = [
            {"type": "track", "event": "Product Viewed", "userId": f"u{hash(one) % 50}", "messageId": one,
             "properties": {"n": one}}
            for one in ids
        ]  # fmt: skip
        try:
            link = HTTPConnection("127.0.0.1", self._port, timeout=10)
            link.request("POST", "/v1/batch", json.dumps({"batch": calls}), {"Authorization": self._auth})
            status = link.getresponse().status
            link.close()
        except (OSError, HTTPException):
            return False
        if status == 200:
            self.acknowledged += ids
        return status == 200


def started(command: list[str]) -> "subprocess.Popen[bytes]":
    environment = _environment() | {"HONGYAN_TEST_DATABASE_NAME": str(connection.settings_dict["NAME"])}
    return subprocess.Popen([sys.executable, "-m", *command], env=environment, cwd=ROOT, start_new_session=True)


def killed(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def until(condition: Callable[[], bool], within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_nothing_acknowledged_is_lost_and_nothing_doubled() -> None:
    secret = write_key_create(actor=system_actor("test"), name="Load", kind="server").secret
    port = _free_port()
    edge = ["granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    edge += ["tests.asgi:application"]
    server, worker = started(edge), started(["tests.ingest.intake_process"])
    load = Load(port, secret)
    try:
        for _ in range(KILLS):
            acknowledged, stored = len(load.acknowledged), Event.objects.count()
            until(lambda before=acknowledged: len(load.acknowledged) >= before + 400)  # type: ignore[misc]
            until(lambda before=stored: Event.objects.count() > before)  # type: ignore[misc]
            killed(worker)
            killed(server)
            server, worker = started(edge), started(["tests.ingest.intake_process"])
        acknowledged = len(load.acknowledged)
        until(lambda: len(load.acknowledged) >= acknowledged + 400)
    finally:
        load.finish()
        killed(server)
        killed(worker)
    until(lambda: lane.take_calls() >= 0 and not IntakeRequest.objects.exists())
    arrived = Counter(str(properties["n"]) for properties in Event.objects.values_list("properties", flat=True))
    assert load.failures > 0, "the kills were not felt"
    assert not QuarantinedRecord.objects.exists()
    assert set(load.acknowledged) - set(arrived) == set()
    assert [one for one, times in arrived.items() if times > 1] == []
