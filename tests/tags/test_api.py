"""Tags through the API: by public id, address or the caller's own id, in batches."""

import pytest

from hongyan.accounts.api_keys import api_key_create
from hongyan.accounts.permissions import Permission, Role
from hongyan.audience.models import Tag, TagGroup
from hongyan.audience.tagging.rules import rule_draft, rules_publish
from tests.accounts.factory import person
from tests.api.conftest import Caller
from tests.audience.factory import SYSTEM, group, held, people, tag

pytestmark = pytest.mark.django_db
EDIT = (Permission.CONTACT_VIEW, Permission.CONTACT_EDIT, Permission.AUDIENCE_EDIT)


def caller_with(*scopes: Permission) -> Caller:
    boss = person(["ada", "mei", "tom"][len(scopes) % 3], Role.ADMINISTRATOR)
    return Caller(api_key_create(actor=boss.actor, name="Shop", scopes=list(scopes)).secret)


@pytest.fixture
def editor() -> Caller:
    return caller_with(*EDIT, Permission.CONTACT_IDENTITY)


def contact(editor: Caller, email: str, external_id: str = "") -> str:
    values = {"email": email} | ({"external_id": external_id} if external_id else {})
    return str(editor("POST", "/contacts", {"values": values}, status=201)["id"])


def test_people_are_named_by_id_address_or_own_id(editor: Caller) -> None:
    vip = tag("vip", group())
    first = contact(editor, "Ada@Mail.example")
    contact(editor, "bo@mail.example")
    contact(editor, "cy@mail.example", "crm-7")
    body = {
        "contacts": [first, "0190a000-0000-7000-8000-000000000001"],
        "emails": ["ada@mail.example", "BO@mail.example", "nobody@mail.example", "no address"],
        "external_ids": ["crm-7", "crm-8"],
    }
    assert editor("POST", "/tags/vip/members", body) == {
        "added": 3,
        "replaced": 0,
        "kept": 0,
        "already": 0,
        "unknown": 4,
    }
    assert len(held(vip)) == 3
    holders = editor("GET", "/tags/vip/members?limit=2")
    rest = editor("GET", f"/tags/vip/members?limit=2&cursor={holders['next']}")
    assert len(holders["items"]) == 2
    assert [len(rest["items"]), rest["next"]] == [1, None]
    assert editor("POST", "/tags/vip/members/removal", {"emails": ["bo@mail.example"]})["removed"] == 1
    editor("GET", "/tags/vip/members?cursor=x", status=422)


def test_who_may_not_see_identities_does_not_learn_who_is_a_contact(editor: Caller) -> None:
    tag("vip", group())
    contact(editor, "ada@mail.example")
    other = caller_with(*EDIT)
    answer = other("POST", "/tags/vip/members", {"emails": ["ada@mail.example", "nobody@mail.example"]})
    assert answer["unknown"] is None


def test_batches_are_limited(editor: Caller) -> None:
    tag("vip", group())
    emails = [f"p{number}@mail.example" for number in range(1001)]
    problem = editor("POST", "/tags/vip/members", {"emails": emails}, status=422)
    assert problem["type"].endswith("too-many")


def test_groups_and_tags_are_made_and_listed(editor: Caller) -> None:
    editor("POST", "/tags/groups", {"name_zh": "价值", "name_en": "Value", "exclusive": True}, status=201)
    inner = editor("POST", "/tags/groups", {"name_zh": "内", "key": "inner", "parent": "value"}, status=201)
    assert inner["parent"] == "value"
    made = editor("POST", "/tags", {"group": "value", "name_zh": "贵宾", "name_en": "VIP"}, status=201)
    assert (made["key"], made["exclusive"], made["decided_by"]) == ("vip", True, "hand")
    assert [row["key"] for row in editor("GET", "/tags")] == ["vip"]
    assert [row["key"] for row in editor("GET", "/tags/groups")] == ["value", "inner"]
    assert TagGroup.objects.get(key="inner").level == 2
    editor("POST", "/tags", {"group": "value", "name_zh": "贵宾", "key": "vip"}, status=422)
    unknown = editor("POST", "/tags", {"group": "nope", "name_zh": "x"}, status=422)
    assert unknown["errors"][0]["pointer"] == "/group"


def test_rule_tags_are_not_given_by_programs(editor: Caller) -> None:
    here = tag("here", group())
    rule_draft(actor=SYSTEM, tag=here, tree={"field": "city", "op": "=", "value": "上海"})
    rules_publish(actor=SYSTEM, group=here.group, tags=[here])
    contact(editor, "ada@mail.example")
    editor("POST", "/tags/here/members", {"emails": ["ada@mail.example"]}, status=422)
    assert editor("GET", "/tags")[0]["decided_by"] == "rule"


def test_reading_keys_do_not_write() -> None:
    tag("vip", group())
    people(1)
    reader = caller_with(Permission.CONTACT_VIEW)
    reader("GET", "/tags")
    reader("GET", "/tags/groups")
    reader("GET", "/tags/vip/members")
    reader("POST", "/tags/vip/members", {"emails": []}, status=403)
    reader("POST", "/tags", {"group": "value", "name_zh": "x"}, status=403)
    reader("POST", "/tags/groups", {"name_zh": "x"}, status=403)
    assert Tag.objects.count() == 1
