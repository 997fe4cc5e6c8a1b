"""Pairs, answers, merges and undoing, as a program does it."""

import pytest

from hongyan.accounts.permissions import Permission
from hongyan.contacts.models import Contact
from hongyan.identity.models import Candidate
from tests.api.conftest import NewCaller
from tests.identity.people import person
from tests.web_identity.factory import twins

pytestmark = pytest.mark.django_db
NEEDED = [Permission.CONTACT_VIEW, Permission.CONTACT_IDENTITY, Permission.CONTACT_EDIT, Permission.CONTACT_MERGE]


def test_pairs_are_read_and_answered(caller_with: NewCaller) -> None:
    one, two, waiting = twins()
    call = caller_with(NEEDED)
    listed = call("GET", "/identity/candidates")
    assert (listed["total"], listed["items"][0]["id"]) == (1, str(waiting.public_id))
    detail = call("GET", f"/identity/candidates/{waiting.public_id}")
    assert {"comparison": "birth_date", "level": "exact", "weight": 12.8} in detail["evidence"]
    body = {"one_person": True, "survivor": str(two.public_id), "choices": {"phone": "first"}}
    made = call("POST", f"/identity/candidates/{waiting.public_id}/decision", body)["merge"]
    assert not Contact.objects.filter(pk=one.pk).exists()
    merges = call("GET", "/identity/merges")["items"]
    assert [(row["id"], row["survivor"]) for row in merges] == [(made, str(two.public_id))]
    call("POST", f"/identity/candidates/{waiting.public_id}/decision", {"one_person": False}, status=404)
    undone = call("POST", f"/identity/merges/{made}/undoing", {})
    assert undone["undone_at"] is not None
    assert call("POST", f"/identity/merges/{made}/undoing", {}, status=409)["type"].endswith("undone")
    assert Candidate.objects.get().verdict == Candidate.Verdict.APART


def test_two_people(caller_with: NewCaller) -> None:
    _one, _two, waiting = twins()
    call = caller_with(NEEDED)
    assert call("POST", f"/identity/candidates/{waiting.public_id}/decision", {"one_person": False})["merge"] is None
    assert call("GET", "/identity/candidates")["items"] == []


def test_merging_two_and_finding_them_under_the_old_id(caller_with: NewCaller) -> None:
    one, two = person(email="a@example.com"), person(email="b@example.com")
    call = caller_with(NEEDED)
    body = {"survivor": str(one.public_id), "loser": str(two.public_id)}
    call("POST", "/identity/merges", body, status=201)
    moved = call.send("GET", f"/contacts/{two.public_id}?x=1")
    assert (moved.status_code, moved["Location"]) == (301, f"/api/v1/contacts/{one.public_id}?x=1")
    assert (moved.json()["detail"], moved["Cache-Control"]) == (str(one.public_id), "no-store")
    assert call("POST", "/identity/merges", body, status=409)["detail"] == str(one.public_id)
    same = {"survivor": str(one.public_id), "loser": str(one.public_id)}
    call("POST", "/identity/merges", same, status=422)


def test_merging_needs_its_permission(caller_with: NewCaller) -> None:
    one, two = person(email="a@example.com"), person(email="b@example.com")
    call = caller_with([Permission.CONTACT_VIEW])
    body = {"survivor": str(one.public_id), "loser": str(two.public_id)}
    assert "contact.merge" in call("POST", "/identity/merges", body, status=403)["title"]
    call("GET", "/identity/candidates", status=403)
    call("GET", "/identity/merges", status=403)
