"""Sources and the quarantine as a program sees them."""

from pathlib import Path
from typing import Any

import pytest

from hongyan.ingest.models_intake import QuarantinedRecord
from hongyan.ingest.models_sources import Source
from hongyan.ingest.sources.types import SourceKind
from hongyan.jobs.models import Job
from tests.api.conftest import Caller
from tests.ingest.source_factory import people, run, source, sqlite_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(tmp_path: Path, settings: Any) -> Source:
    settings.HONGYAN_SOURCE_FOLDERS = str(tmp_path)
    path = sqlite_file(tmp_path / "shop.db", [*people(3), (9, "none", "坏", "上海", "2026-11-02")])
    return source(SourceKind.SQL, {"table": "people", "cursor": "updated_at"}, secrets={"url": f"sqlite:///{path}"})


def test_status_run_and_quarantine(made: Source, caller: Caller) -> None:
    [listed] = caller("GET", "/sources")
    assert (listed["name"], listed["health"]) == ("the shop", "idle")
    started = caller("POST", f"/sources/{made.public_id}/runs", {}, status=202)
    assert started["state"] == "queued"
    assert caller("POST", f"/sources/{made.public_id}/runs", {}, status=409)["type"].endswith("running_already")
    made.runs.all().delete()
    run(made)
    status = caller("GET", f"/sources/{made.public_id}")
    assert (status["health"], status["quarantined"], status["runs"][0]["created"]) == ("ok", 1, 3)
    assert str(made.place) not in str(status)
    [waiting] = caller("GET", "/quarantine")["items"]
    assert "none" not in waiting.values()
    assert caller("POST", "/quarantine/retries", {"ids": [waiting["id"]]}) == {"taken": 0, "refused": 1, "job": None}
    group = caller("POST", "/quarantine/retries", {"source": made.sealed_key, "reason": waiting["reason"]})
    assert Job.objects.get(public_id=group["job"]).kind == "quarantine_retry"
    caller("POST", "/quarantine/retries", {}, status=422)
    caller("GET", f"/sources/{waiting['id']}", status=404)
    assert QuarantinedRecord.objects.get().attempts == 1
    for path, changed in (("discards", 1), ("discards", 0), ("returns", 1), ("returns", 0)):
        assert caller("POST", f"/quarantine/{path}", {"ids": [waiting["id"]]}) == {"changed": changed}
    assert QuarantinedRecord.objects.get().state == "waiting"
