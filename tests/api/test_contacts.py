"""Keys, scopes, masking, problems in the caller's language, repeats, pages of a list."""

import pytest

from hongyan.accounts.permissions import Permission
from hongyan.api.models import IdempotentCall
from hongyan.audit.models import AuditEntry
from hongyan.contacts.models import ConsentRecord, Contact
from tests.api.conftest import Caller, NewCaller
from tests.audience.factory import group, tag

pytestmark = pytest.mark.django_db
ADA = {"values": {"full_name": "Ada Byron", "email": "ada@example.com", "phone": "13800138000", "city": "Leeds"}}


@pytest.mark.parametrize("secret", ["", "nonsense", "hy_0123456789_" + "a" * 43])
def test_without_a_valid_key_there_is_nothing(db: None, secret: str) -> None:
    response = Caller(secret).send("GET", "/tags")
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "body", "needed"),
    [
        ("POST", "/contacts", ADA, Permission.CONTACT_EDIT),
        ("GET", "/contacts", None, Permission.CONTACT_VIEW),
        ("GET", "/tags", None, Permission.CONTACT_VIEW),
        ("POST", "/audiences", {"name": "x", "tree": {"everyone": True}}, Permission.AUDIENCE_EDIT),
        ("POST", "/templates", {"name": "x", "kind": "text", "mail_type": "care"}, Permission.CONTENT_EDIT),
        ("POST", "/campaigns", {"name": "x"}, Permission.CAMPAIGN_EDIT),
        ("GET", "/reports/campaigns", None, Permission.REPORT_VIEW),
    ],
)
def test_a_missing_permission_is_named(
    caller_with: NewCaller, method: str, path: str, body: object, needed: Permission
) -> None:
    other = next(iter({Permission.CONSENT_EDIT, Permission.IMPORT_RUN} - {needed}))
    problem = caller_with([other])(method, path, body, status=403)
    assert needed.value in problem["title"]
    assert problem["type"] == "urn:hongyan:problem:permission"


def test_identifying_data_is_masked_without_the_permission_for_it(caller: Caller, caller_with_view: Caller) -> None:
    made = caller("POST", "/contacts", ADA, status=201)
    assert (made["masked"], made["email"], made["full_name"]) == (False, "ada@example.com", "Ada Byron")
    seen = caller_with_view("GET", f"/contacts/{made['id']}")
    assert seen["masked"] is True
    (line,) = caller_with_view("GET", "/contacts")["items"]
    for text in (str(seen), str(line)):
        assert "ada@" not in text
        assert "Byron" not in text
        assert "13800138000" not in text
        assert "Leeds" in text


@pytest.fixture
def caller_with_view(caller: Caller) -> Caller:
    from hongyan.accounts.api_keys import api_key_create
    from hongyan.accounts.models import User
    from hongyan.accounts.permissions import ROLE_PERMISSIONS, Role
    from hongyan.accounts.types import Actor

    boss = User.objects.get()
    actor = Actor("user", boss.pk, boss.label, ROLE_PERMISSIONS[Role.ADMINISTRATOR])
    return Caller(api_key_create(actor=actor, name="Reader", scopes=[Permission.CONTACT_VIEW]).secret)


def test_problems_speak_the_callers_language(caller: Caller) -> None:
    bad = {"values": {"email": "no address"}}
    english = caller("POST", "/contacts", bad, status=422)
    chinese = caller("POST", "/contacts", bad, status=422, language="zh-CN")
    assert english["errors"][0]["pointer"] == chinese["errors"][0]["pointer"]
    assert english["errors"][0]["code"] == chinese["errors"][0]["code"]
    assert "address" in english["errors"][0]["message"]
    for text in (chinese["title"], chinese["errors"][0]["message"]):
        assert any("一" <= letter <= "鿿" for letter in text), text
    assert not Contact.objects.exists()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_misspelt_name_is_refused_with_its_place(caller: Caller, language: str) -> None:
    problem = caller("POST", "/campaigns", {"name": "x", "subjekt": "y"}, status=422, language=language)
    (part,) = problem["errors"]
    assert (part["pointer"], part["code"]) == ("/subjekt", "extra_forbidden")
    assert ("no field" in part["message"]) == (language == "en")


def test_the_same_address_twice_is_a_conflict(caller: Caller) -> None:
    caller("POST", "/contacts", ADA, status=201)
    problem = caller("POST", "/contacts", ADA, status=409)
    assert problem["errors"][0]["pointer"] == "/email"


def test_a_repeat_gets_the_first_answer_and_does_nothing(caller: Caller) -> None:
    first = caller("POST", "/contacts", ADA, status=201, key="order-1")
    again = caller.send("POST", "/contacts", ADA, key="order-1")
    assert again.status_code == 201
    assert again.json() == first
    assert again["Idempotent-Replayed"] == "true"
    assert Contact.objects.count() == 1
    other = {"values": ADA["values"] | {"email": "other@example.com"}}
    assert "Idempotency-Key" in caller("POST", "/contacts", other, status=422, key="order-1")["title"]
    assert Contact.objects.count() == 1
    assert b"ada@example.com" not in bytes(IdempotentCall.objects.get().sealed_body or b"")


def test_refusals_are_repeated_too(caller: Caller) -> None:
    bad = {"values": {"email": "no address"}}
    first = caller("POST", "/contacts", bad, status=422, key="order-2")
    assert caller("POST", "/contacts", bad, status=422, key="order-2") == first


def test_a_list_is_walked_by_cursor_while_it_grows(caller: Caller) -> None:
    for number in range(5):
        caller("POST", "/contacts", {"values": {"email": f"p{number}@example.com"}}, status=201)
    page = caller("GET", "/contacts?limit=2")
    seen = [row["email"] for row in page["items"]]
    caller("POST", "/contacts", {"values": {"email": "late@example.com"}}, status=201)
    while page["next"]:
        page = caller("GET", f"/contacts?limit=2&cursor={page['next']}")
        seen += [row["email"] for row in page["items"]]
    assert seen == [f"p{number}@example.com" for number in (4, 3, 2, 1, 0)]
    cursor = caller("GET", "/contacts?limit=2")["next"]
    caller("GET", f"/contacts?order=updated&cursor={cursor}", status=422)
    caller("GET", f"/contacts?cursor={cursor[:-2]}xx", status=422)


def test_people_are_found_by_what_identifies_them(caller: Caller) -> None:
    caller("POST", "/contacts", ADA, status=201)
    caller("POST", "/contacts", {"values": {"email": "bob@example.com", "city": "York"}}, status=201)
    for body in ({"text": "ada@example.com"}, {"text": "Byron"}, {"city": "Leeds"}):
        assert [row["email"] for row in caller("POST", "/contacts/search", body)["items"]] == ["ada@example.com"]


def test_change_consent_and_erasure(caller: Caller) -> None:
    person = caller("POST", "/contacts", ADA, status=201)
    path = f"/contacts/{person['id']}"
    assert caller("PATCH", path, {"values": {"city": "York"}})["city"] == "York"
    given = {"action": "given", "topic": "newsletter"}
    assert caller("POST", f"{path}/consent", given, status=422)["errors"][0]["pointer"] == "/wording"
    held = caller("POST", f"{path}/consent", given | {"wording": "I want the newsletter."}, status=201)
    assert {"email", "newsletter"} <= set(held["states"][0].values())
    assert ConsentRecord.objects.get().method == "api"
    receipt = caller("POST", f"{path}/erasure", {"reason": "asked for it"})
    assert receipt["id"] == person["id"]
    caller("GET", path, status=404)
    assert AuditEntry.objects.filter(actor_kind="api_key").exists()


def test_tags_are_given_and_taken(caller: Caller) -> None:
    tag("vip", group("value"))
    person = caller("POST", "/contacts", ADA, status=201)
    members = {"contacts": [person["id"]]}
    assert caller("POST", "/tags/vip/members", members)["added"] == 1
    assert caller("GET", f"/contacts/{person['id']}")["tags"] == ["vip"]
    assert caller("POST", "/tags/vip/members/removal", members)["removed"] == 1
    assert caller("GET", f"/contacts/{person['id']}")["tags"] == []
    caller("POST", "/tags/nope/members", members, status=404)
