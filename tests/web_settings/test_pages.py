import json
import re
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hongyan.accounts import services
from hongyan.accounts.api_keys import authenticate
from hongyan.accounts.approval_states import RuleKind
from hongyan.accounts.models import ApiKey, ApprovalRule, OrganisationSettings, User
from hongyan.accounts.organisation import organisation
from hongyan.accounts.permissions import Role
from hongyan.audit.models import AuditEntry
from hongyan.audit.services import record
from hongyan.delivery.models import Sender
from hongyan.jobs.models import Job
from hongyan.jobs.runner import job_run
from tests.accounts.factory import Person, person

pytestmark = pytest.mark.django_db

# Who may open which page: a to administrators, m marketers, g approvers, d privacy officers, s support.
PAGES = {
    "": "amgds",
    "profile/": "amgds",
    "roles/": "amgds",
    "organisation/": "a",
    "users/": "a",
    "users/new/": "a",
    "api-keys/": "a",
    "api-keys/new/": "a",
    "approval-rules/": "amg",
    "approval-rules/new/": "a",
    "senders/": "a",
    "senders/new/": "a",
    "mail/": "am",
    "audit/": "ad",
    "audit/verification/": "ad",
    "audit/chain-head.json": "ad",
    "system/": "am",
}
CAST = {"a": "ada", "m": "mei", "g": "guo", "d": "dao", "s": "sam"}


def signed_in(who: Person, language: str = "en") -> Client:
    who.user.language = language
    who.user.save()
    client = Client()
    client.force_login(who.user)
    return client


@pytest.fixture
def ada() -> Person:
    return person("ada")


@pytest.fixture
def desk(ada: Person) -> Client:
    return signed_in(ada)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("letter", list(CAST))
def test_who_may_open_which_page(letter: str, language: str) -> None:
    client = signed_in(person(CAST[letter]), language)
    answers = {page: client.get(f"/settings/{page}").status_code for page in PAGES}
    assert answers == {page: 200 if letter in allowed else 403 for page, allowed in PAGES.items()}


def test_strangers_are_sent_to_sign_in(client: Client) -> None:
    for page in PAGES:
        answer = client.get(f"/settings/{page}")
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/account/login/")


def test_the_index_shows_only_what_may_be_opened(ada: Person) -> None:
    shown = set(re.findall(r'href="/settings/([a-z-]+)/"', signed_in(person("guo")).get("/settings/").content.decode()))
    assert shown == {"profile", "roles", "approval-rules"}
    assert "system" in signed_in(ada).get("/settings/").content.decode()


def test_invite_edit_and_deactivate(desk: Client, ada: Person) -> None:
    answer = desk.post(
        "/settings/users/new/",
        {"email": "li@staff.example", "name": "Li", "language": "zh-hans", "roles": ["sales", "support"]},
    )
    link = re.search(r"/account/one-time/[\w-]+/", answer.content.decode())
    assert link is not None
    li = User.objects.get(email="li@staff.example")
    assert li.roles == frozenset({Role.SALES, Role.SUPPORT})
    assert Client().get(link[0]).status_code == 200
    assert (
        "already"
        in desk.post(
            "/settings/users/new/", {"email": "LI@staff.example", "language": "en", "roles": ["sales"]}
        ).content.decode()
    )
    assert (
        "at least one role"
        in desk.post("/settings/users/new/", {"email": "x@staff.example", "language": "en"}).content.decode()
    )
    page = f"/settings/users/{li.public_id}/"
    assert desk.get(page).status_code == 200
    assert desk.post(page, {"name": "Li Na", "roles": ["analyst"]}).status_code == 302
    assert User.objects.get(pk=li.pk).roles == frozenset({Role.ANALYST})
    assert desk.post(page + "deactivation").status_code == 302
    assert not User.objects.get(pk=li.pk).is_active
    assert desk.post(page + "reactivation").status_code == 302
    assert User.objects.get(pk=li.pk).is_active
    assert "one-time" in desk.post(page + "link").content.decode()
    mine = f"/settings/users/{ada.user.public_id}/"
    assert "stay administrator" in desk.post(mine, {"name": "", "roles": ["analyst"]}).content.decode()
    assert "stay administrator" in desk.post(mine + "deactivation", follow=True).content.decode()
    assert desk.get(f"/settings/users/{uuid4()}/").status_code == 404


def test_a_marketer_cannot_post_either(ada: Person) -> None:
    client = signed_in(person("mei"))
    for path in (
        "users/new/",
        f"users/{ada.user.public_id}/",
        f"users/{ada.user.public_id}/deactivation",
        "api-keys/new/",
        "organisation/",
        "approval-rules/new/",
        "senders/new/",
        "audit/verify",
    ):
        assert client.post(f"/settings/{path}", {"name": "x"}).status_code == 403


def test_profile(ada: Person, desk: Client) -> None:
    answer = desk.post("/settings/profile/", {"name": "艾达", "language": "zh-hans", "time_zone": "Europe/Berlin"})
    assert answer.cookies["hongyan_language"].value == "zh-hans"
    ada.user.refresh_from_db()
    assert (ada.user.name, ada.user.language, ada.user.time_zone) == ("艾达", "zh-hans", "Europe/Berlin")
    other = Client()
    other.force_login(ada.user)
    other.get("/settings/profile/")
    desk.get("/settings/profile/")
    desk.post("/settings/profile/other-sessions/")
    assert "_auth_user_id" not in other.session
    assert desk.get("/settings/profile/").status_code == 200
    assert AuditEntry.objects.filter(action="user.sessions_ended").count() == 1


def test_keys_are_shown_once(desk: Client) -> None:
    answer = desk.post("/settings/api-keys/new/", {"name": "Shop", "days": "30", "scopes": ["contact.view"]})
    secret = re.search(r"hy_[0-9a-z]{10}_[\w-]{43}", answer.content.decode())
    assert secret is not None
    assert authenticate(secret[0]) is not None
    assert secret[0] not in desk.get("/settings/api-keys/").content.decode()
    assert "at least one permission" in desk.post("/settings/api-keys/new/", {"name": "x"}).content.decode()
    row = ApiKey.objects.get()
    desk.post(f"/settings/api-keys/{row.public_id}/revocation")
    assert authenticate(secret[0]) is None
    assert desk.get("/settings/api-keys/").status_code == 200


def test_rules(desk: Client) -> None:
    ApprovalRule.objects.all().delete()
    new = "/settings/approval-rules/new/"
    assert "From how many" in desk.post(new, {"kind": "audience_size", "approvers": "1"}).content.decode()
    desk.post(new, {"kind": "audience_tag", "tag": "VIP", "approvers": "2", "enabled": "on"})
    rule = ApprovalRule.objects.get()
    assert (rule.kind, rule.tag, rule.approvers, rule.enabled) == (RuleKind.AUDIENCE_TAG, "VIP", 2, True)
    page = desk.get("/settings/approval-rules/").content.decode()
    assert "tagged “VIP” need the consent of 2 other people" in page
    desk.post(f"/settings/approval-rules/{rule.public_id}/", {"kind": "always", "approvers": "1"})
    rule.refresh_from_db()
    assert (rule.kind, rule.enabled) == (RuleKind.ALWAYS, False)
    desk.post(f"/settings/approval-rules/{rule.public_id}/deletion")
    assert ApprovalRule.objects.count() == 0
    assert desk.get(f"/settings/approval-rules/{uuid4()}/").status_code == 404


def test_senders(desk: Client) -> None:
    values = {
        "from_name": "雁行",
        "from_email": "hello@shop.example",
        "company_name": "雁行商贸",
        "postal_address": "上海市",
        "is_default": "on",
    }
    assert "own domain" in desk.post("/settings/senders/new/", values | {"from_email": "x@qq.com"}).content.decode()
    assert desk.post("/settings/senders/new/", values).status_code == 302
    sender = Sender.objects.get()
    assert sender.is_default
    desk.post(f"/settings/senders/{sender.public_id}/", values | {"from_name": "Geese"})
    assert Sender.objects.get().from_name == "Geese"
    assert "shop.example" in desk.get("/settings/mail/").content.decode()
    desk.post("/settings/senders/new/", values | {"from_email": "second@shop.example", "is_default": ""})
    second = Sender.objects.get(from_email="second@shop.example")
    desk.post(f"/settings/senders/{second.public_id}/archiving")
    desk.post(f"/settings/senders/{sender.public_id}/archiving")
    assert set(Sender.objects.filter(archived_at=None).values_list("pk", flat=True)) == {sender.pk}
    assert desk.get(f"/settings/senders/{uuid4()}/").status_code == 404


def test_organisation_and_required_second_factor(ada: Person, desk: Client) -> None:
    values = {
        "name": "雁行商贸",
        "postal_address": "上海市静安区",
        "default_language": "zh-hans",
        "time_zone": "Asia/Shanghai",
        "second_factor": OrganisationSettings.SecondFactor.REQUIRE,
    }
    assert desk.post("/settings/organisation/", values).status_code == 302
    assert organisation().name == "雁行商贸"
    assert desk.get("/settings/").headers["Location"] == "/account/2fa/"
    assert desk.get("/account/2fa/").status_code == 200
    assert signed_in(person("mei")).get("/settings/").status_code == 200
    Authenticator.objects.create(user=ada.user, type="totp", data={})
    assert desk.get("/settings/").status_code == 200


def test_audit_filters_pages_and_verification(desk: Client, ada: Person) -> None:
    AuditEntry.objects.all()
    for number in range(60):
        record(actor=ada.actor, action="contact.viewed", subject_kind="contact", subject_id=f"0198-{number}")
    first = desk.get("/settings/audit/?action=contact.viewed").content.decode()
    cursor = re.search(r"after=(\d+)", first)
    assert cursor is not None
    rest = desk.get(f"/settings/audit/?action=contact.viewed&after={cursor[1]}").content.decode()
    assert (first.count("<tr>"), rest.count("<tr>")) == (51, 11)
    assert desk.get("/settings/audit/?subject=0198-7").content.decode().count("<tr>") == 2
    assert "Nothing found" in desk.get("/settings/audit/?since=2001-01-01&until=2001-01-02").content.decode()
    assert desk.get("/settings/audit/?since=nonsense&until=2026-99-99&by=x&after=x").status_code == 200
    desk.post("/settings/audit/verify")
    job_run(job_id=Job.objects.get().pk)
    assert Job.objects.get().state == "succeeded"
    assert "chain is whole" in desk.get("/settings/audit/verification/").content.decode()
    assert json.loads(desk.get("/settings/audit/chain-head.json").content).keys() <= {"seq", "hash", "at"}


def test_a_broken_chain_is_shown(desk: Client, ada: Person) -> None:
    from hongyan.web.settings.tasks import VERIFY

    Job.objects.create(
        kind=VERIFY, state="succeeded", result={"entries": 9, "unsealed": 0, "seq": 3, "reason": "altered"}
    )
    page = desk.get("/settings/audit/").content.decode()
    assert "breaks at place 3" in page
    assert "not as it was written" in page


def test_system_jobs(desk: Client) -> None:
    failed = Job.objects.create(kind="audit.verify", state="queued")
    desk.post(f"/settings/system/jobs/{failed.public_id}/cancellation")
    failed.refresh_from_db()
    assert failed.state == "cancelled"
    assert desk.get("/settings/system/").status_code == 200
    assert desk.post(f"/settings/system/jobs/{failed.public_id}/explosion").status_code == 404
    assert signed_in(person("mei")).post(f"/settings/system/jobs/{failed.public_id}/retrial").status_code == 404


def test_pages_cost_few_queries(
    desk: Client, ada: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        services.user_invite(actor=ada.actor, email=f"u{number}@staff.example", name="", roles=[Role.SALES])
    cache.clear()
    for page in ("", "users/", "audit/", "approval-rules/", "system/"):
        with django_assert_max_num_queries(20):
            desk.get(f"/settings/{page}")
    assert connection.vendor == "postgresql"
