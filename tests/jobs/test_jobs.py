import threading
import uuid
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction

from hongyan.accounts.permissions import Role
from hongyan.accounts.types import Actor, system_actor
from hongyan.jobs import services
from hongyan.jobs.errors import JobNotFound, UnknownJobKind
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.models import Job
from hongyan.jobs.registry import job_kind
from hongyan.jobs.runner import job_run
from hongyan.jobs.selectors import job_by_public_id, jobs_recent, jobs_running
from hongyan.jobs.services import job_cancel, job_pause, job_resume, job_retry, job_start, jobs_rescue
from hongyan.jobs.states import JobState
from tests.jobs import kinds
from tests.jobs.factory import person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    kinds.gate.clear()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
        cursor.execute("DROP TABLE IF EXISTS test_steps")
        cursor.execute("CREATE TABLE test_steps (step int, attempt int)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE test_steps")


@pytest.fixture
def mei() -> Actor:
    return person("mei", Role.MARKETER)


@pytest.fixture
def tom() -> Actor:
    return person("tom", Role.MARKETER)


@pytest.fixture
def ada() -> Actor:
    return person("ada", Role.ADMINISTRATOR)


def entries(status: str = "todo") -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE status::text = %s", [status])
        return int(cursor.fetchone()[0])


def in_thread(job: Job) -> threading.Thread:
    def work() -> None:
        job_run(job_id=job.pk)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def until(condition: Callable[[], bool]) -> None:
    ready = threading.Event()
    for _ in range(500):
        if condition():
            return
        ready.wait(0.02)
    raise AssertionError("waited ten seconds in vain")


def state(job: Job) -> str:
    return Job.objects.values_list("state", flat=True).get(pk=job.pk)


def test_a_job_runs_to_its_end_with_progress_and_result(mei: Actor) -> None:
    job = job_start(actor=mei, kind="test.count", params={"n": 5}, title="Count %(n)s", title_params={"n": 5})
    assert job.title_text == "Count 5"
    job_run(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.percent, job.note) == ("succeeded", 5, 5, 100, "counting")
    assert job.result == {"counted": 5}
    assert job.started_at is not None
    assert job.finished_at is not None


def test_an_async_kind_runs_too(mei: Actor) -> None:
    job = job_start(actor=mei, kind="test.async", params={"n": 2})
    job_run(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.result) == ("succeeded", {"counted": 2})


def test_a_job_exists_only_if_its_transaction_commits(mei: Actor) -> None:
    with transaction.atomic():
        job_start(actor=mei, kind="test.count", params={"n": 1})
        transaction.set_rollback(True)
    assert (Job.objects.count(), entries()) == (0, 0)
    job_start(actor=mei, kind="test.count", params={"n": 1})
    assert (Job.objects.count(), entries()) == (1, 1)


def test_a_second_delivery_does_nothing(mei: Actor) -> None:
    job = job_start(actor=mei, kind="test.count", params={"n": 1})
    job_run(job_id=job.pk)
    job_run(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == ("succeeded", 1)


def test_an_unknown_kind_is_refused_at_start_and_failed_when_found_in_the_queue(mei: Actor) -> None:
    with pytest.raises(UnknownJobKind):
        job_start(actor=mei, kind="nobody.knows", params={})
    job = Job.objects.create(kind="nobody.knows")
    job_run(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "unknown_kind")


def test_a_refusal_keeps_its_reason_and_a_breakdown_keeps_no_message(mei: Actor) -> None:
    refused = job_start(actor=mei, kind="test.refuse", params={})
    broken = job_start(actor=mei, kind="test.break", params={})
    job_run(job_id=refused.pk)
    job_run(job_id=broken.pk)
    refused.refresh_from_db()
    broken.refresh_from_db()
    assert (refused.state, refused.error_code, refused.error_message) == (
        "failed",
        "disk_full",
        "Less than 1 GB is free.",
    )
    assert (broken.state, broken.error_code, broken.error_message) == ("failed", "unexpected", "ValueError")


def test_progress_is_seen_while_the_work_is_in_a_transaction(mei: Actor) -> None:
    wrote, go_on = threading.Event(), threading.Event()

    @job_kind("test.transaction", title="x")
    def work(handle: JobHandle, params: dict[str, object]) -> None:
        with transaction.atomic():
            handle.advance(7, total=10)
            wrote.set()
            go_on.wait(10)

    job = job_start(actor=mei, kind="test.transaction", params={})
    thread = in_thread(job)
    assert wrote.wait(10)
    job.refresh_from_db()
    assert (job.state, job.done, job.percent) == ("running", 7, 70)
    go_on.set()
    thread.join()
    assert state(job) == "succeeded"


def test_cancel_stops_a_running_job_and_a_waiting_one_at_once(mei: Actor) -> None:
    running = job_start(actor=mei, kind="test.wait", params={})
    waiting = job_start(actor=mei, kind="test.wait", params={})
    thread = in_thread(running)
    until(lambda: state(running) == "running")
    job_cancel(actor=mei, job_id=running.pk)
    assert job_cancel(actor=mei, job_id=waiting.pk).state == JobState.CANCELLED
    thread.join(10)
    assert state(running) == "cancelled"
    job_run(job_id=waiting.pk)
    assert state(waiting) == "cancelled"
    assert job_cancel(actor=mei, job_id=running.pk).state == "cancelled"


def test_pause_and_resume_go_on_where_it_was(mei: Actor) -> None:
    job = job_start(actor=mei, kind="test.steps", params={"n": 40, "pause_s": 0.01})
    thread = in_thread(job)
    until(lambda: Job.objects.get(pk=job.pk).done >= 3)
    job_pause(actor=mei, job_id=job.pk)
    thread.join(10)
    assert state(job) == "paused"
    job_resume(actor=mei, job_id=job.pk)
    assert state(job) == "queued"
    job_run(job_id=job.pk)
    assert state(job) == "succeeded"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT step), count(DISTINCT attempt) FROM test_steps")
        assert cursor.fetchone() == (40, 40, 2)


def test_a_failed_job_is_started_again_by_a_person(mei: Actor) -> None:
    job = job_start(actor=mei, kind="test.refuse", params={})
    job_run(job_id=job.pk)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    assert job_retry(actor=mei, job_id=job.pk).state == "queued"
    assert entries() == 1


def test_a_job_is_seen_by_its_owner_and_administrators_only(mei: Actor, tom: Actor, ada: Actor) -> None:
    job = job_start(actor=mei, kind="test.count", params={"n": 1})
    for actor in (mei, ada, system_actor("check")):
        assert job_by_public_id(actor=actor, public_id=job.public_id).pk == job.pk
        assert [row.pk for row in jobs_running(actor=actor)] == [job.pk]
    for act in (job_cancel, job_pause, job_resume, job_retry):
        with pytest.raises(JobNotFound):
            act(actor=tom, job_id=job.pk)
    with pytest.raises(JobNotFound):
        job_by_public_id(actor=tom, public_id=job.public_id)
    with pytest.raises(JobNotFound):
        job_by_public_id(actor=ada, public_id=uuid.uuid4())
    assert jobs_running(actor=tom) == jobs_recent(actor=tom) == []
    assert jobs_recent(actor=mei, kinds=("test.wait",)) == []


def stall(job: Job) -> None:
    """As if its worker had died: the entry is being done by nobody."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE (args->>'job_id')::bigint = %s", [job.pk])
    Job.objects.filter(pk=job.pk).update(state="running", attempt=1)


def test_rescue_starts_resumable_jobs_again_and_fails_others(mei: Actor) -> None:
    again = job_start(actor=mei, kind="test.steps", params={"n": 1})
    lost = job_start(actor=mei, kind="test.count", params={"n": 1})
    asked = job_start(actor=mei, kind="test.steps", params={"n": 1})
    worn = job_start(actor=mei, kind="test.steps", params={"n": 1})
    for job in (again, lost, asked, worn):
        stall(job)
    Job.objects.filter(pk=asked.pk).update(cancel_requested=True)
    Job.objects.filter(pk=worn.pk).update(attempt=5)
    assert jobs_rescue() == 4
    assert [state(job) for job in (again, lost, asked, worn)] == ["queued", "failed", "cancelled", "failed"]
    assert Job.objects.get(pk=lost.pk).error_code == "worker_lost"
    assert (entries("todo"), entries("failed")) == (1, 3)
    assert jobs_rescue() == 0


def test_periodic_work_of_a_dead_worker_makes_room_for_what_waits() -> None:
    """The same work was put into the queue again while the dead worker's entry still stood as being done."""
    with connection.cursor() as cursor:
        for status, lock in (("doing", "fold"), ("todo", "fold"), ("doing", "alone")):
            cursor.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, status) "
                "VALUES ('periodic', %s, %s, %s, %s)",
                [lock, lock, lock, status],
            )
    assert jobs_rescue() == 2
    assert (entries("todo"), entries("doing"), entries("failed")) == (2, 0, 1)
    assert jobs_rescue() == 0


def test_a_job_without_any_queue_entry_is_queued_again(mei: Actor) -> None:
    job = job_start(actor=mei, kind="test.count", params={"n": 1})
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
        cursor.execute("UPDATE jobs_job SET created_at = now() - interval '2 minutes'")
    assert jobs_rescue() == 1
    assert (state(job), entries()) == ("queued", 1)


def test_a_worker_thought_dead_may_write_no_more(mei: Actor) -> None:
    job = job_start(actor=mei, kind="test.wait", params={})
    thread = in_thread(job)
    until(lambda: state(job) == "running")
    Job.objects.filter(pk=job.pk).update(attempt=2, done=99)  # another worker took it over
    thread.join(10)
    job.refresh_from_db()
    assert (job.state, job.attempt, job.done) == ("running", 2, 99)


def test_a_stopping_worker_gives_a_resumable_job_back(mei: Actor) -> None:
    job = job_start(actor=mei, kind="test.steps", params={"n": 3})
    job_run(job_id=job.pk, should_stop=lambda resumable: resumable)
    assert state(job) == "queued"
    other = job_start(actor=mei, kind="test.wait", params={})
    job_run(job_id=other.pk, should_stop=lambda _: True)
    other.refresh_from_db()
    assert (other.state, other.error_code) == ("failed", "interrupted")


def test_whole_job_inside_a_transaction(mei: Actor) -> None:
    with transaction.atomic():
        job = job_start(actor=mei, kind="test.count", params={"n": 3})
        job_run(job_id=job.pk)
        assert state(job) == "succeeded"
    assert services.TASK_NAME == "hongyan.job"
