"""Kinds of jobs for the tests; what they did is written into a table of their own, as a real kind would."""

import threading
import time
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection
from django.utils.translation import gettext_lazy as _

from hongyan.jobs.errors import JobFailed
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import job_kind

gate = threading.Event()


@job_kind("test.count", title=_("Count"))
def count(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    for step in range(params["n"]):
        handle.advance(step, total=params["n"], note="counting")
    handle.done = params["n"]
    return {"counted": params["n"]}


@job_kind("test.async", title=_("Count"))
async def count_async(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    await handle.advance_async(1, total=2)
    await sync_to_async(lambda: connection.ensure_connection())()  # noqa: PLW0108  the proxy is asked in the right thread
    return {"counted": params["n"]}


@job_kind("test.refuse", title="x")
def refuse(handle: JobHandle, params: dict[str, Any]) -> None:
    raise JobFailed("disk_full", "Less than 1 GB is free.")


@job_kind("test.break", title="x")
def break_down(handle: JobHandle, params: dict[str, Any]) -> None:
    raise ValueError("li.lei@example.com is not a number")


@job_kind("test.wait", title="x")
def wait(handle: JobHandle, params: dict[str, Any]) -> None:
    while not gate.is_set():
        handle.check()
        time.sleep(0.02)


@job_kind("test.steps", title="x", resumable=True)
def steps(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    """Goes on after the last step it committed; a step takes params["pause_s"]."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(step), 0) FROM test_steps")
        last = cursor.fetchone()[0]
        for step in range(last + 1, params["n"] + 1):
            cursor.execute("INSERT INTO test_steps VALUES (%s, %s)", [step, handle.attempt])
            handle.check()
            handle.advance(step, total=params["n"])
            time.sleep(params.get("pause_s", 0))
    return {"attempt": handle.attempt}


@job_kind("test.fragile", title="x")
def fragile(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    return steps(handle, params)  # type: ignore[return-value]
