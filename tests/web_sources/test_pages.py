"""Data: the wizard as a person without JavaScript walks it, the pages of a source, the quarantine."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.test import Client

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.models import RoleGrant, User
from hongyan.accounts.permissions import Permission, Role
from hongyan.accounts.types import Actor
from hongyan.audit.models import AuditEntry
from hongyan.contacts.models import ConsentState, Contact
from hongyan.ingest.models_intake import QuarantinedRecord
from hongyan.ingest.models_sources import Source, SourceRun
from hongyan.ingest.quarantine import (
    NewQuarantined,
    Trouble,
    quarantine_add,
    quarantine_edit,
    quarantine_open,
    quarantine_retry,
    quarantine_row,
)
from hongyan.ingest.sources.types import RunState, SourceState
from hongyan.jobs.models import Job
from hongyan.jobs.runner import job_run
from tests.ingest.source_factory import emails, people, run, source, sqlite_file

pytestmark = pytest.mark.django_db


def staff(role: Role | None, language: str = "en") -> Client:
    name = role.value if role else "nobody"
    user = User.objects.create_user(f"{name}@staff.example", name=name)
    user.language = language
    user.save()
    if role:
        RoleGrant.objects.create(user=user, role=role)
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def shop(tmp_path: Path, settings: Any) -> Path:
    settings.HONGYAN_SOURCE_FOLDERS = str(tmp_path)
    return sqlite_file(tmp_path / "shop.db", [*people(5), (77, "no address", "坏", "上海", "2026-11-02")])


def made_by_hand(shop: Path) -> Source:
    from hongyan.ingest.sources.types import SourceKind

    return source(SourceKind.SQL, {"table": "people", "cursor": "updated_at"}, secrets={"url": f"sqlite:///{shop}"})


def _work() -> None:
    job = SourceRun.objects.get().job
    assert job is not None
    job_run(job_id=job.pk)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_from_nothing_to_a_source_at_work(shop: Path, language: str) -> None:
    client = staff(Role.ADMINISTRATOR, language)
    assert client.get("/data/").status_code == 200
    assert client.get("/data/sources/").status_code == 200
    assert client.get("/data/sources/new/").status_code == 200
    assert client.post("/data/sources/new/", {"kind": "sql", "name": " "}).status_code == 422
    answer = client.post("/data/sources/new/", {"kind": "sql", "name": "ERP 客户"})
    made = Source.objects.get()
    base = f"/data/sources/{made.public_id}/"
    assert answer.headers["Location"] == base + "connection/"
    assert client.get(base + "connection/").status_code == 200
    refused = client.post(base + "connection/", {"url": "sqlite:////etc/shadow.db"})
    assert refused.status_code == 422
    answer = client.post(base + "connection/", {"url": f"sqlite:///{shop}"})
    assert answer.headers["Location"] == base + "records/"
    page = client.get(base + "connection/").content.decode()
    assert str(shop) in page
    assert 'value="sqlite' not in page
    assert "people" in client.get(base + "records/").content.decode()
    assert client.post(base + "records/", {"table": "people", "act": "look"}).status_code == 302
    page = client.get(base + "records/").content.decode()
    assert "p3@example.cn" in page
    answer = client.post(base + "records/", {"table": "people", "cursor": "updated_at", "act": "next"})
    assert answer.headers["Location"] == base + "columns/"
    page = client.get(base + "columns/").content.decode()
    assert re.search(r'<option value="email" selected>', page)
    for target in ("orders", "products", "events"):
        assert client.get(base + "columns/", {"target": target}).status_code == 200
    fields = {f"field-{place}": name for place, name in enumerate(["", "email", "full_name", "city", ""])}
    common = {
        "target": "contacts",
        "match_on": "email",
        "policy": "update",
        "default_region": "CN",
        "date_order": "ymd",
    }
    assert client.post(base + "columns/", {"target": "contacts", "field-1": "full_name"}).status_code == 422
    answer = client.post(base + "columns/", {**common, **fields, "choice": "attested"})
    assert answer.status_code == 302  # attested without the ticked declaration counts as none
    page = client.get(base + "times/").content.decode()
    assert "6" in page
    assert client.post(base + "times/", {"every": "minutes", "interval": "1"}).status_code == 422
    answer = client.post(base + "times/", {"every": "minutes", "interval": "15"})
    assert answer.headers["Location"] == base
    made.refresh_from_db()
    assert (made.state, made.cursor) == (SourceState.ACTIVE, "")
    assert client.get(base).status_code == 200
    _work()
    begun = SourceRun.objects.get()
    assert (begun.state, begun.created, begun.quarantined) == (RunState.FINISHED, 5, 1)
    assert not ConsentState.objects.filter(state="given").exists()
    page = client.get(base).content.decode()
    assert "hy-chart" in page
    assert client.get(base, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    for act in ("pause", "resumption", "run", "cancellation", "rereading"):
        assert client.post(base + act).status_code == 302
    assert client.get("/data/").status_code == 200


def test_every_form_of_connection_is_shown() -> None:
    client = staff(Role.ADMINISTRATOR)
    for kind in ("sql", "rest", "files"):
        where = client.post("/data/sources/new/", {"kind": kind, "name": kind}).headers["Location"]
        assert client.get(where).status_code == 200
        answer = client.post(where, {"url": "http://x", "base_url": "ftp://x"})
        assert answer.status_code == 422


def test_a_secret_does_not_go_to_another_host() -> None:
    client = staff(Role.ADMINISTRATOR)
    where = client.post("/data/sources/new/", {"kind": "rest", "name": "api"}).headers["Location"]
    made = Source.objects.get()
    from hongyan.ingest.sources.sealed import seal_secrets

    seal_secrets(made, {"secret": "tok"})
    made.place = {"base_url": "https://api.example.com"}
    made.save()
    page = client.post(where, {"base_url": "https://evil.example.net", "auth": "bearer"})
    assert page.status_code == 422
    assert "Enter the credentials again" in page.content.decode()


def test_trouble_shows_on_the_home_page_and_is_forgotten_with_success(shop: Path) -> None:
    made = made_by_hand(shop)
    shop.rename(shop.with_suffix(".away"))
    run(made)
    client = staff(Role.ADMINISTRATOR)
    assert "the shop" in client.get("/").content.decode()
    assert "does not exist" in client.get("/data/").content.decode()
    assert "does not exist" in client.get(f"/data/sources/{made.public_id}/").content.decode()
    shop.with_suffix(".away").rename(shop)
    run(made)
    assert "the shop" not in client.get("/").content.decode()


def test_the_schedule_starts_due_sources_once_and_marks_late_ones(shop: Path) -> None:
    from datetime import timedelta

    from hongyan.core.clock import now
    from hongyan.ingest.sources.tasks import start_due

    made = made_by_hand(shop)
    Source.objects.filter(pk=made.pk).update(
        next_run_at=now() - timedelta(minutes=1), updated_at=now() - timedelta(days=2)
    )
    assert start_due() == 1
    assert start_due() == 0
    made.refresh_from_db()
    assert made.next_run_at is not None
    assert made.next_run_at > now()
    assert made.late_since is not None
    assert AuditEntry.objects.filter(action="source.late").count() == 1
    client = staff(Role.ADMINISTRATOR)
    assert "although it should have by now" in client.get("/").content.decode()
    _work()
    made.refresh_from_db()
    assert made.late_since is None


class TestQuarantine:
    def waiting(self, shop: Path) -> QuarantinedRecord:
        run(made_by_hand(shop))
        return QuarantinedRecord.objects.get()

    @pytest.mark.parametrize("language", ["en", "zh-hans"])
    def test_mend_and_try_again(self, shop: Path, language: str) -> None:
        record = self.waiting(shop)
        client = staff(Role.ADMINISTRATOR, language)
        page = client.get("/data/quarantine/").content.decode()
        assert "the shop" in page
        url = f"/data/quarantine/{record.public_id}/"
        page = client.get(url).content.decode()
        assert 'aria-invalid="true"' in page
        assert "no address" in page
        assert client.post(url + "edition", {"value-1": "still none"}).status_code == 422
        assert client.post(url + "retrial").status_code == 422
        answer = client.post(url + "edition", {"value-1": "mended@example.cn"})
        assert answer.status_code == 302
        assert "mended@example.cn" in emails()
        assert client.get(url).status_code == 200
        assert client.get("/data/quarantine/?state=taken").status_code == 200

    def test_a_whole_group_as_a_job(self, shop: Path) -> None:
        record = self.waiting(shop)
        client = staff(Role.ADMINISTRATOR)
        group = {"source": record.source, "kind": record.kind, "reason": record.reason}
        Source.objects.update(
            mapping={"email": "external_id", "name": "full_name"}, options={"match_on": "external_id"}
        )
        assert client.post("/data/quarantine/group/retrial", group).status_code == 302
        assert client.get("/data/quarantine/").status_code == 200
        answer = client.get("/data/quarantine/", headers={"HX-Request": "true"})
        assert "HX-Refresh" not in answer.headers
        job_run(job_id=Job.objects.get(kind="quarantine_retry").pk)
        record.refresh_from_db()
        assert record.state == "taken"
        assert Contact.objects.count() == 6

    def test_give_up_one_and_all_and_take_a_list_along(self, shop: Path) -> None:
        record = self.waiting(shop)
        client = staff(Role.ADMINISTRATOR)
        answer = client.get("/data/quarantine/records.csv")
        assert "no address" in b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
        assert AuditEntry.objects.filter(action="quarantine.exported").exists()
        client.post(f"/data/quarantine/{record.public_id}/discarding")
        record.refresh_from_db()
        assert record.state == "discarded"
        url = f"/data/quarantine/{record.public_id}/"
        assert "return" in client.get(url).content.decode()
        client.post(url + "return")
        record.refresh_from_db()
        assert record.state == "waiting"
        client.post(url + "discarding")
        assert "group/return" in client.get("/data/quarantine/?state=discarded").content.decode()
        client.post(
            "/data/quarantine/group/return", {"source": record.source, "kind": record.kind, "reason": record.reason}
        )
        record.refresh_from_db()
        assert record.state == "waiting"
        client.post(url + "discarding")
        quarantine_add(source="x", kind="other", items=[NewQuarantined(b"{}", Trouble("odd", "/a"))] * 3)
        client.post("/data/quarantine/group/discarding", {"source": "x", "kind": "other", "reason": "odd"})
        assert QuarantinedRecord.objects.filter(state="waiting").count() == 0

    def test_nested_records_are_edited_as_json(self) -> None:
        payload = orjson.dumps({"a": {"b": 1}})
        quarantine_add(source="x", kind="other", items=[NewQuarantined(payload, Trouble("odd", "/a/b"))])
        record = QuarantinedRecord.objects.get()
        client = staff(Role.ADMINISTRATOR)
        url = f"/data/quarantine/{record.public_id}/"
        assert "<textarea" in client.get(url).content.decode()
        assert client.post(url + "edition", {"raw": "{"}).status_code == 422

    def test_formulas_do_not_leave_as_formulas(self) -> None:
        quarantine_add(source="=1+1", kind="other", items=[NewQuarantined(b"=cmd()", Trouble("odd", "@x"))])
        client = staff(Role.ADMINISTRATOR)
        body = b"".join(client.get("/data/quarantine/records.csv").streaming_content).decode()  # type: ignore[attr-defined]
        assert "'=cmd()" in body
        assert "'=1+1" in body


def test_who_may_not_set_up_sources(shop: Path) -> None:
    made = made_by_hand(shop)
    client = staff(Role.MARKETER)
    assert client.get("/data/").status_code == 200
    for path in ("/data/sources/", "/data/sources/new/", f"/data/sources/{made.public_id}/", "/data/quarantine/"):
        assert client.get(path).status_code == 403
    assert client.post(f"/data/sources/{made.public_id}/run").status_code == 403
    sales = staff(Role.SALES)  # reads reports, and so may see what arrives; sources and quarantine stay closed
    shown = sales.get("/data/").content.decode()
    assert "/events/" in shown
    assert not re.search(r"/data/(sources|quarantine)/", shown)
    assert {sales.get(path).status_code for path in ("/data/sources/", "/data/quarantine/")} == {403}
    assert staff(None).get("/data/").status_code == 403


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR}))
def test_records_are_for_those_who_set_up_sources(role: Role) -> None:
    quarantine_add(source="x", kind="other", items=[NewQuarantined(b"{}", Trouble("odd", "/a"))])
    record = QuarantinedRecord.objects.get()
    client = staff(role)
    assert client.get(f"/data/quarantine/{record.public_id}/").status_code == 403
    assert client.get("/data/quarantine/records.csv").status_code == 403
    for act in ("edition", "retrial", "discarding", "return"):
        assert client.post(f"/data/quarantine/{record.public_id}/{act}", {"raw": "{}"}).status_code == 403
    for act in ("retrial", "discarding", "return"):
        group = {"source": "x", "kind": "other", "reason": "odd"}
        assert client.post(f"/data/quarantine/group/{act}", group).status_code == 403
    record.refresh_from_db()
    assert (record.state, record.attempts) == ("waiting", 0)


def test_a_program_that_may_not_see_identities_mends_without_seeing() -> None:
    quarantine_add(source="x", kind="other", items=[NewQuarantined(b"{}", Trouble("odd", "/a"))])
    record = QuarantinedRecord.objects.get()
    program = Actor("api_key", 1, "till", frozenset({Permission.SOURCE_EDIT}))
    assert quarantine_row(actor=program, public_id=record.public_id).reason == "odd"
    assert quarantine_retry(actor=program, public_ids=[record.public_id]).refused == 1
    with pytest.raises(PermissionRefused):
        quarantine_open(actor=program, public_id=record.public_id)
    with pytest.raises(PermissionRefused):
        quarantine_edit(actor=program, public_id=record.public_id, payload=b"{}")
