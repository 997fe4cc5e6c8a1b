"""What each part of the work has before it, as the system page and ``hongyan check`` tell it."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone, translation

from hongyan.config.commands import check
from hongyan.contacts.models import Contact
from hongyan.edge.models import Hit
from hongyan.events.models import ReaderCursor
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from hongyan.ingest.models_intake import IntakeRequest
from hongyan.ingest.models_sources import Source
from hongyan.jobs.models import Job
from hongyan.web.settings.lanes import KINDS, LaneState, age, lanes
from tests.accounts.factory import person

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def lane(key: str) -> LaneState:
    with translation.override("en"):
        return next(found for found in lanes(now=NOW) if found.key == key)


def ago(seconds: float) -> dict[str, object]:
    return {"received_at": NOW - timedelta(seconds=seconds)}


def test_nothing_waits_in_a_fresh_house() -> None:
    with translation.override("en"):
        found = lanes(now=NOW)
    assert [one.key for one in found] == list(KINDS)
    assert not [one for one in found if one.late or one.remedy]
    assert lane("outbox").sentence == "Nothing waits"
    assert lane("imports").sentence == "None is running"


def test_a_moment_of_waiting_is_no_trouble() -> None:
    IntakeRequest.objects.create(write_key_id=1, kind="", calls=1, packed=False, body=b"x", **ago(5))
    found = lane("intake")
    assert (found.waiting, found.late, found.remedy) == (1, False, "")
    assert found.sentence == "1 waiting, the oldest for 5 s"


def test_too_long_says_what_to_do_in_both_languages() -> None:
    IntakeRequest.objects.create(write_key_id=1, kind="", calls=1, packed=False, body=b"x", **ago(600))
    found = lane("intake")
    assert found.late
    assert found.sentence == "1 waiting, the oldest for 10 min"
    assert "HONGYAN_WORKERS" in found.remedy
    with translation.override("zh-hans"):
        chinese = next(one for one in lanes(now=NOW) if one.key == "intake")
    assert chinese.sentence == "1 条待处理，最早一条已等待 10 分钟"
    assert "工作进程" in chinese.remedy


def test_hits_that_settle_do_not_count() -> None:
    for seconds in (-3600, 200):
        Hit.objects.create(at=NOW - timedelta(seconds=seconds), kind=1, message_id=1, month=NOW.date().replace(day=1))
    assert (lane("digest").waiting, lane("digest").late) == (1, True)


def test_facts_behind_a_readers_place() -> None:
    contact = Contact.objects.create()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        ReaderCursor.objects.create(name="membership", tx=cursor.fetchone()[0], event_id=0)
    at = NOW - timedelta(minutes=3)
    append([NewEvent(contact.pk, "page_viewed", at, "test", {}, dedupe_key=None, received_at=at)])
    assert (lane("membership").waiting, lane("membership").late) == (1, True)
    assert lane("standing").waiting == 0  # it has not begun
    ReaderCursor.objects.filter(name="membership").update(tx=2**40)
    assert lane("membership").waiting == 0


def test_an_import_that_stands_still_and_a_job_nobody_takes() -> None:
    Job.objects.create(kind="import", state="running", started_at=NOW, advanced_at=NOW - timedelta(seconds=10))
    assert (lane("imports").sentence, lane("imports").late) == ("1 running, last progress 10 s ago", False)
    Job.objects.update(advanced_at=NOW - timedelta(minutes=20))
    assert lane("imports").late
    Job.objects.create(kind="export", state="queued")
    Job.objects.filter(kind="export").update(created_at=NOW - timedelta(hours=3))
    assert (lane("jobs").sentence, lane("jobs").late) == ("1 waiting, the oldest for 3 h", True)


def test_sources_that_are_due_or_fail() -> None:
    source = Source.objects.create(
        name="ERP", kind="sql", state="active", next_run_at=NOW - timedelta(minutes=5), last_success_at=NOW
    )
    assert (lane("sources").waiting, lane("sources").late) == (1, False)
    source.next_run_at = NOW - timedelta(hours=1)
    source.save()
    assert lane("sources").late
    source.next_run_at, source.failures = NOW + timedelta(hours=1), 3
    source.save()
    assert (lane("sources").sentence, lane("sources").late) == ("1 source fails or is late", True)
    source.archived_at = NOW
    source.save()
    assert not lane("sources").late


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (119, "119 s"), (300, "5 min"), (10_800, "3 h"), (2e5, "2 days")]
)
def test_ages(seconds: float, said: str) -> None:
    with translation.override("en"):
        assert age(seconds) == said


def test_the_page_and_the_command_tell_it() -> None:
    IntakeRequest.objects.create(write_key_id=1, kind="", calls=1, packed=False, body=b"x", **ago(600))
    ada = person("ada")
    ada.user.language = "en"
    ada.user.save()
    client = Client()
    client.force_login(ada.user)
    page = client.get("/settings/system/").content.decode()
    assert all(str(kind.title) in page for kind in KINDS.values() if "&" not in str(kind.title))
    assert re.search(r"1 waiting, the oldest for 1\d min", page)
    assert "HONGYAN_WORKERS" in page
    found = [finding for finding in check.lanes() if finding.what.startswith("Event intake: ")]
    assert [finding.level for finding in found] == ["warn"]
    assert "HONGYAN_WORKERS" in found[0].remedy
