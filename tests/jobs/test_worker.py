"""Real worker processes, really killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from django.db import connection

from hongyan.accounts.types import system_actor
from hongyan.jobs.models import Job, Worker
from hongyan.jobs.selectors import queue_depths, workers_alive
from hongyan.jobs.services import job_start
from tests.jobs import kinds  # noqa: F401  registers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]
SYSTEM = system_actor("test")


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
        cursor.execute("DELETE FROM procrastinate_workers")
        cursor.execute("DROP TABLE IF EXISTS test_steps")
        cursor.execute("CREATE TABLE test_steps (step int, attempt int)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE test_steps")
        cursor.execute("DELETE FROM procrastinate_jobs")


@pytest.fixture
def start_worker() -> Iterator[Callable[[], "subprocess.Popen[bytes]"]]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        database = connection.settings_dict
        url = f"postgresql://{database['USER']}:{quote(database['PASSWORD'])}@/{database['NAME']}?host="
        environment = os.environ | {"HONGYAN_DATABASE_URL": url + quote(str(database["HOST"]), safe="")}
        process = subprocess.Popen([sys.executable, "-m", "tests.jobs.child"], env=environment)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def done(job: Job) -> int:
    return int(Job.objects.values_list("done", flat=True).get(pk=job.pk))


def test_killed_worker_jobs_go_on_in_another(start_worker: Callable[[], "subprocess.Popen[bytes]"]) -> None:
    job = job_start(actor=SYSTEM, kind="test.steps", params={"n": 60, "pause_s": 0.03})
    first = start_worker()
    until(lambda: done(job) >= 5)
    first.send_signal(signal.SIGKILL)
    first.wait()
    fragile = Job.objects.create(kind="test.fragile", state="running", attempt=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status) VALUES ('jobs', 'hongyan.job', "
            "jsonb_build_object('job_id', %s::bigint), 'doing')",
            [fragile.pk],
        )
    second = start_worker()
    until(lambda: Job.objects.get(pk=job.pk).state == "succeeded")
    until(lambda: Job.objects.get(pk=fragile.pk).state == "failed")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT step), max(attempt) FROM test_steps")
        assert cursor.fetchone() == (60, 60, 2)
    assert Job.objects.get(pk=job.pk).result == {"attempt": 2}
    assert Worker.objects.count() == 2
    assert workers_alive() >= 1
    second.send_signal(signal.SIGTERM)
    assert second.wait(15) == 0
    assert Worker.objects.count() == 1  # it said good-bye; the killed one could not


def test_stopped_worker_gives_its_job_back(start_worker: Callable[[], "subprocess.Popen[bytes]"]) -> None:
    job = job_start(actor=SYSTEM, kind="test.steps", params={"n": 2000, "pause_s": 0.03})
    worker = start_worker()
    until(lambda: done(job) >= 3)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(15) == 0
    assert Job.objects.get(pk=job.pk).state == "queued"
    assert {"queue": "jobs", "state": "todo"}.items() <= queue_depths()[0].items()
