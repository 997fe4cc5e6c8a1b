"""The wizard as a person without JavaScript walks it, in both languages; and who may not."""

import io
from typing import Any

import openpyxl
import pytest
from django.test import Client

from hongyan.accounts.models import RoleGrant, User
from hongyan.accounts.permissions import Role
from hongyan.contacts.models import ConsentRecord, Contact, FieldDefinition
from hongyan.ingest.models import Export, Import
from hongyan.ingest.types import ImportState
from hongyan.jobs.runner import job_run

pytestmark = pytest.mark.django_db

CSV = (
    "姓名,邮箱,手机,分数\n王小明,wang@example.com,13800138000,12\n李雷,不是邮箱,13900139000,7\n"
    "赵六,zhao@example.com,,3\n"
)


def staff(role: Role, language: str = "en") -> Client:
    user = User.objects.create_user(f"{role.value}@staff.example", name=role.value)
    user.language = language
    user.save()
    RoleGrant.objects.create(user=user, role=role)
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def send(client: Client, data: bytes, name: str = "客户.csv") -> Any:
    file = io.BytesIO(data)
    file.name = name
    return client.post("/imports/new/", {"file": file})


def run_job(job: Any) -> None:
    job_run(job_id=job.pk)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_from_upload_to_result(language: str) -> None:
    client = staff(Role.ADMINISTRATOR, language)
    assert client.get("/imports/").status_code == 200
    assert client.get("/imports/new/").status_code == 200
    answer = send(client, CSV.encode("gb18030"))
    batch = Import.objects.get()
    base = f"/imports/{batch.public_id}/"
    assert answer.headers["Location"] == base + "reading/"
    page = client.get(base + "reading/").content.decode()
    assert "王小明" in page
    assert "gb18030" in page
    assert (
        client.post(base + "reading/", {"encoding": "gb18030", "delimiter": "comma", "has_header": "on"}).status_code
        == 302
    )
    page = client.get(base + "columns/").content.decode()
    assert "不是邮箱" in page
    answer = client.post(base + "fields/", {"column": "3", "key": "score_2025", "label": "分数", "type": "number"})
    assert FieldDefinition.objects.get().key == "score_2025"
    mapping = {"target-0": "full_name", "target-1": "email", "target-2": "phone", "target-3": "custom.score_2025"}
    answer = client.post(
        base + "columns/", {**mapping, "match_on": "email", "default_region": "CN", "date_order": "ymd"}
    )
    assert answer.headers["Location"] == base + "consent/"
    assert client.get(base + "consent/").status_code == 200
    assert client.post(base + "consent/", {"policy": "update"}).status_code == 422  # undecided
    choice = {"choice": "attested", "topics": ["newsletter"], "source": "paper", "policy": "update"}
    assert client.post(base + "consent/", choice).status_code == 422  # not declared
    assert client.post(base + "consent/", {**choice, "declared": "on"}).status_code == 302
    assert client.get(base + "trial/").status_code == 200
    client.post(base + "trial/")
    batch.refresh_from_db()
    assert "every 1s" in client.get(base + "trial/").content.decode()
    run_job(batch.dry_job)
    assert Contact.objects.count() == 0
    page = client.get(base + "trial/").content.decode()
    assert ("2 new contacts would be created." in page) == (language == "en")
    answer = client.post(base + "run")
    batch.refresh_from_db()
    assert batch.state == ImportState.STARTED
    assert client.get(base).status_code == 200
    run_job(batch.job)
    page = client.get(base).content.decode()
    assert "不是邮箱" in page
    assert ConsentRecord.objects.filter(action="given").count() == 2
    assert Contact.objects.order_by("id")[0].attributes == {"score_2025": 12}
    file = b"".join(client.get(base + "rejections.csv").streaming_content)  # type: ignore[attr-defined]
    assert file.startswith(b"\xef\xbb\xbf")
    assert "不是邮箱" in file.decode()
    assert client.get(base + "progress").headers["HX-Refresh"] == "true"
    assert client.post(base + "undoing").status_code == 302
    batch.refresh_from_db()
    run_job(batch.job)
    assert Contact.objects.count() == 0
    assert client.get(base).status_code == 200


def test_live_check_of_a_column() -> None:
    client = staff(Role.MARKETER)
    send(client, CSV.encode())
    base = f"/imports/{Import.objects.get().public_id}/"
    page = client.post(base + "columns/check", {"column": "1", "target-1": "email"}).content.decode()
    assert "1 do not fit, 2 do" in page
    page = client.post(base + "columns/check", {"column": "0", "target-0": "birth_date"}).content.decode()
    assert "3 do not fit" in page
    assert client.post(base + "columns/check", {"column": "99", "target-99": "email"}).status_code == 200


@pytest.mark.parametrize("target", ["consent_status", "owner_id", "score", "public_id", "nonsense", "custom.nope"])
def test_protected_and_unknown_fields_are_refused(target: str) -> None:
    client = staff(Role.MARKETER)
    send(client, CSV.encode())
    batch = Import.objects.get()
    answer = client.post(f"/imports/{batch.public_id}/columns/", {"target-0": target, "target-1": "email"})
    assert answer.status_code == 422
    before = batch.mapping
    batch.refresh_from_db()
    assert batch.mapping == before


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"name,email\n", "no rows"),
        (b"%PDF-1.7", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, ".xls"),
    ],
)
def test_a_file_that_is_no_table_gets_a_plain_message(data: bytes, words: str) -> None:
    answer = send(staff(Role.MARKETER), data, "../../etc/x.csv")
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Import.objects.exists()


def test_names_are_shown_escaped_and_never_used_as_paths() -> None:
    client = staff(Role.MARKETER)
    send(client, CSV.encode(), "<script>alert(1)</script>\u202e;rm -rf.csv")
    page = client.get("/imports/").content.decode()
    assert "<script>alert" not in page
    assert "\u202e" not in page


def test_roles_without_the_permission_see_a_refusal() -> None:
    client = staff(Role.ANALYST)
    for path in ("/imports/", "/imports/new/", "/imports/exports/", "/imports/exports/new/"):
        assert client.get(path).status_code == 403
    assert staff(Role.MARKETER).get("/imports/exports/").status_code == 403
    assert Client().get("/imports/").status_code == 302


@pytest.mark.parametrize("format_name", ["csv", "xlsx"])
def test_an_export_is_asked_for_with_a_reason_and_downloaded_by_its_owner_only(format_name: str) -> None:
    from tests.ingest.factory import run

    run("name,email\n=王,wang@example.com\n")
    client = staff(Role.ADMINISTRATOR)
    assert client.post("/imports/exports/new/", {"columns": ["email"], "reason": " "}).status_code == 422
    client.post(
        "/imports/exports/new/", {"columns": ["full_name", "email"], "reason": "newsletter", "format": format_name}
    )
    export = Export.objects.get()
    base = f"/imports/exports/{export.public_id}/"
    assert "every 1s" in client.get(base).content.decode()
    run_job(export.job)
    assert client.get(base).status_code == 200
    answer: Any = client.get(base + "file")
    body = b"".join(answer.streaming_content)
    if format_name == "csv":
        assert body.decode("utf-8-sig").splitlines() == ["email,full_name", "wang@example.com,'=王"]
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(body)).active
        assert sheet is not None
        assert [cell.value for cell in sheet[2]] == ["wang@example.com", "'=王"]
    assert staff(Role.PRIVACY_OFFICER).get(base + "file").status_code == 404


def test_an_export_of_another_system_is_recognised_and_kept_as_it_is() -> None:
    """A Mailchimp ZIP: unpacked, recognised, consent kept; and the way to treat it as an ordinary file."""
    import zipfile
    from pathlib import Path

    exports = Path(__file__).parents[1] / "ingest" / "exports"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for part in ("subscribed", "unsubscribed"):
            made.write(exports / f"{part}_members_export_a1b2c3.csv", f"{part}_members_export_a1b2c3.csv")
    client = staff(Role.ADMINISTRATOR)
    assert send(client, packed.getvalue(), "audience_export.zip").headers["Location"] == "/imports/"
    subscribed, left = Import.objects.order_by("id")
    base = f"/imports/{subscribed.public_id}/"
    page = client.get(base + "reading/").content.decode()
    assert "This is an export of Mailchimp: people who subscribed." in page
    assert client.post(base + "origin/fields").status_code == 302
    assert FieldDefinition.objects.filter(key="mailchimp_rating").exists()
    page = client.get(base + "consent/").content.decode()
    assert 'value="kept" checked' in page
    answer = client.post(base + "consent/", {"choice": "kept", "policy": "update", "topics": "newsletter"})
    assert answer.status_code == 422
    answer = client.post(
        base + "consent/", {"choice": "kept", "policy": "update", "topics": "newsletter", "declared": "on"}
    )
    assert answer.headers["Location"] == base + "trial/"
    client.post(base + "trial/")
    run_job(Import.objects.get(pk=subscribed.pk).dry_job)
    assert "3 consents kept with their evidence." in client.get(base + "trial/").content.decode()
    client.post(base + "run")
    run_job(Import.objects.get(pk=subscribed.pk).job)
    page = client.get(base).content.decode()
    assert "3 consents kept with their evidence." in page
    assert "as the export says" in page
    other = f"/imports/{left.public_id}/"
    assert client.post(other + "origin/forgetting").status_code == 302
    assert "This is an export" not in client.get(other + "reading/").content.decode()
