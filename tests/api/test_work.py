"""Longer work by a program: a file in, a campaign from draft to start, a report."""

from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from hongyan.accounts.models import ApiKey
from hongyan.api.paging import write_cursor
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.states import State
from hongyan.contacts.models import ConsentRecord, Contact
from hongyan.delivery.models import Message
from hongyan.ingest.models import Import
from hongyan.jobs.models import Job
from hongyan.jobs.runner import job_run
from tests.api.conftest import Caller
from tests.campaigns import factory

pytestmark = pytest.mark.django_db
CSV = "姓名,邮箱,城市\n王小雨,wang@example.com,上海\n李雷,not an address,北京\n赵六,zhao@example.com,上海\n"


def run_all_jobs() -> None:
    for job in Job.objects.filter(state="queued").order_by("pk"):
        job_run(job_id=job.pk)


def uploaded(caller: Caller) -> Any:
    file = SimpleUploadedFile("customers.csv", CSV.encode("gb18030"), content_type="text/csv")
    return caller("POST", "/imports", files={"file": file}, status=201)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/contacts/search", {"text": "\ud800"}),
        ("/contacts/search", {"country": "\x00"}),
        ("/contacts/search", {"created_to": "9999-12-31"}),
        ("/audiences", {"name": "\ud800", "tree": {"all": []}}),
    ],
)
def test_values_no_database_can_hold_are_refused(caller: Caller, path: str, body: Any) -> None:
    caller("POST", path, body, status=422)


def test_a_cursor_of_another_list_is_refused(caller: Caller) -> None:
    path = f"/imports/{uploaded(caller)['id']}/rejected"
    at = "2026-11-01T00:00:00+00:00"
    for position in (["campaigns", at, 1], ["companies", at, 1], [at, 1], ["newest", at, 3], ["holders", 3], 7):
        cursor = quote(write_cursor(position))
        for address in ("/campaigns", "/contacts", "/tags/vip/members", "/companies", "/orders", path, "/quarantine"):
            answer = caller.send("GET", f"{address}?cursor={cursor}")
            assert answer.status_code < 500, (address, position)
        found = caller.send("POST", f"/audiences/members?cursor={cursor}", {"tree": {"all": []}})
        assert found.status_code < 500, position


def test_an_import_from_file_to_rejected_rows(caller: Caller) -> None:
    made = uploaded(caller)
    assert made["header"] == ["姓名", "邮箱", "城市"]
    assert made["mapping"] == ["full_name", "email", "city"]
    path = f"/imports/{made['id']}"
    caller("PUT", path, {"mapping": ["full_name", "email", "nonsense"]}, status=422)
    caller("PUT", path, {"mapping": made["mapping"], "options": {"policy": "update"}})
    caller("POST", f"{path}/start", status=409)  # nothing runs without a decision about consent
    consent = {"choice": "attested", "topics": ["newsletter"], "source": "fair", "declared": True, "statement": "Yes."}
    caller("PUT", f"{path}/consent", consent | {"declared": False}, status=409)
    caller("PUT", f"{path}/consent", consent)
    caller("POST", f"{path}/trial", status=202)
    run_all_jobs()
    trial = caller("GET", path)["trial"]
    assert (trial["created"], trial["rejected"]) == (2, 1)
    assert not Contact.objects.exists()
    caller("POST", f"{path}/start", status=202)
    run_all_jobs()
    done = caller("GET", path)
    assert (done["state"], done["counts"]["created"], done["counts"]["rejected"]) == ("finished", 2, 1)
    assert ConsentRecord.objects.filter(action="given").count() == 2
    (row,) = caller("GET", f"{path}/rejected?limit=5")["items"]
    assert (row["line"], row["column"]) == (3, "邮箱")
    chinese = caller("GET", f"{path}/rejected", language="zh-hans")["items"][0]
    assert chinese["code"] == row["code"]
    assert chinese["reason"] != row["reason"]
    answer = caller.send("GET", f"{path}/rejected.csv")
    assert "not an address" in b"".join(answer.streaming_content).decode("utf-8-sig")


def test_a_file_that_is_no_table_is_refused(caller: Caller) -> None:
    file = SimpleUploadedFile("x.csv", b"%PDF-1.7 nothing here")
    problem = caller("POST", "/imports", files={"file": file}, status=422)
    assert "PDF" in problem["title"]
    assert not Import.objects.exists()


def test_a_campaign_from_draft_to_start(caller: Caller) -> None:
    shop = factory.shop()
    body = {
        "name": "九月",
        "audience": {"field": "city", "op": "=", "value": "上海"},
        "topic": shop.topic.key,
        "sender": str(shop.sender.public_id),
        "template": str(shop.template.public_id),
        "choices": {"contact.given_name": {"choice": "exclude"}},
    }
    caller("POST", "/campaigns", body | {"topic": "nope"}, status=422)
    made = caller("POST", "/campaigns", body, status=201)
    assert made["state"] == "draft"
    path = f"/campaigns/{made['id']}"
    checked = caller("GET", f"{path}/preflight")
    assert checked["clear"], checked["findings"]
    assert checked["will_receive"] == 4
    caller("PUT", path, body | {"sender": None})
    stopped = caller("POST", f"{path}/start", {"confirmed": 4}, status=409)
    finding = next(part for part in stopped["errors"] if part["code"] == "no_sender")
    assert finding["message"] != finding["code"]
    assert " " in finding["message"] or "。" in finding["message"]
    caller("PUT", path, body)
    wrong = caller("POST", f"{path}/start", {"confirmed": 40}, status=409)
    assert (wrong["type"], "4" in wrong["title"]) == ("urn:hongyan:problem:count", True)
    assert Campaign.objects.get().state == State.DRAFT
    caller("POST", f"{path}/start", {"confirmed": 4}, key="start-1")
    run_all_jobs()
    assert Message.objects.count() == 4
    caller("POST", f"{path}/start", {"confirmed": 4}, key="start-1")  # a repeat is the same answer
    assert Message.objects.count() == 4
    caller("POST", f"{path}/start", {"confirmed": 4}, status=409)
    assert caller("POST", f"{path}/pause", {"comment": "wait"})["state"] == "paused"
    assert caller("POST", f"{path}/resume")["state"] == "sending"
    assert caller("GET", f"/reports{path}")["recipients"] == 4
    assert [row["id"] for row in caller("GET", "/campaigns")["items"]] == [made["id"]]


def test_a_rule_holds_programs_too(caller: Caller) -> None:
    shop = factory.shop()
    factory.always_two_eyes()
    campaign = shop.campaign(audience={"field": "city", "op": "=", "value": "上海"})
    path = f"/campaigns/{campaign.public_id}"
    choices = {"choices": {"contact.given_name": {"choice": "exclude"}}}
    body = {name: caller("GET", path)[name] for name in ("name", "audience", "topic", "sender", "template")}
    caller("PUT", path, body | choices)
    assert caller("POST", f"{path}/start", {"confirmed": 4}, status=409)["type"].endswith(":approval")
    assert Campaign.objects.get().state == State.DRAFT


def test_an_edit_over_a_newer_one_is_a_conflict(caller: Caller) -> None:
    made = caller("POST", "/campaigns", {"name": "One"}, status=201)
    path = f"/campaigns/{made['id']}"
    caller("PUT", f"{path}?revision={made['revision']}", {"name": "Two"})
    caller("PUT", f"{path}?revision={made['revision']}", {"name": "Three"}, status=409)


def test_a_template_that_cannot_be_a_mail_is_refused_with_its_place(caller: Caller) -> None:
    body = {"name": "x", "kind": "html", "mail_type": "care", "subject": "Hi", "source": "<p>\n{{ contact.nope }}</p>"}
    problem = caller("POST", "/templates", body, status=422)
    assert problem["errors"][0]["pointer"] == "/source"
    assert problem["errors"][0]["message"].startswith("2:")
    made = caller("POST", "/templates", body | {"source": "<p>Hello</p>"}, status=201)
    path = f"/templates/{made['id']}"
    text = {"base": made["version"], "subject": "Hi", "source": "<p>Hello again</p>"}
    assert caller("PUT", path, text)["version"] == made["version"] + 1
    caller("PUT", path, text, status=409)


def test_audiences_are_counted_explained_and_kept(caller: Caller) -> None:
    factory.shop()
    tree = {"field": "city", "op": "=", "value": "上海"}
    assert caller("POST", "/audiences/count", {"tree": tree})["count"] == 4
    chinese = caller("POST", "/audiences/count", {"tree": tree}, language="zh-hans")["sentence"]
    assert "城市" in chinese
    problem = caller("POST", "/audiences/count", {"tree": {"field": "nope", "op": "=", "value": 1}}, status=422)
    assert problem["errors"]
    made = caller("POST", "/audiences", {"name": "上海", "tree": tree}, status=201)
    assert caller("GET", f"/audiences/{made['id']}")["tree"] == tree


def test_whoever_made_the_key_answers_for_what_it_wrote(caller: Caller) -> None:
    """Otherwise one person could write with a key and approve by hand."""
    made = caller("POST", "/campaigns", {"name": "By a program"}, status=201)
    campaign = Campaign.objects.get(public_id=made["id"])
    maker = ApiKey.objects.get().created_by_id
    assert campaign.author_ids == [maker]
    assert campaign.created_by_id == maker
