"""Segments through the API: counted, listed and reasoned about, as a tree or as text."""

from datetime import timedelta

import pytest
from django.utils import timezone

from hongyan.contacts.models import Contact
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db

SPENT = 'sum("order_completed", total) >= 100 in 90d'


@pytest.fixture
def people() -> list[Contact]:
    """Five who spent 0, 40, 80, 120 and 160, the last half of it long ago."""
    now, made = timezone.now(), Contact.objects.bulk_create(Contact(city="上海") for _ in range(5))
    spent = [(person, 40 * place) for place, person in enumerate(made)]
    append(
        [NewEvent(one.pk, "order_completed", now - timedelta(days=3), "t", {"total": total}) for one, total in spent]
    )
    append([NewEvent(made[0].pk, "order_completed", now - timedelta(days=200), "t", {"total": 500})])
    return made


def test_text_and_tree_count_the_same(caller: Caller, people: list[Contact]) -> None:
    by_text = caller("POST", "/audiences/count", {"text": SPENT})
    tree = caller("POST", "/audiences/read", {"text": SPENT})["tree"]
    assert by_text == caller("POST", "/audiences/count", {"tree": tree})
    assert (by_text["count"], by_text["text"]) == (2, SPENT)
    both = caller("POST", "/audiences/count", {"text": SPENT, "tree": tree}, status=422)
    assert both["code"] == "validation" if "code" in both else both["title"]
    caller("POST", "/audiences/count", {}, status=422)


def test_members_come_in_pages(caller: Caller, people: list[Contact]) -> None:
    body = {"text": 'city = "上海" and not did("order_completed") >= 2'}
    first = caller("POST", "/audiences/members?limit=3", body)
    second = caller("POST", f"/audiences/members?limit=3&cursor={first['next']}", body)
    assert [*first["items"], *second["items"]] == [str(one.public_id) for one in people[1:]]
    assert second["next"] is None
    caller("POST", "/audiences/members?cursor=x", body, status=422)


def test_why_names_the_condition_that_fails(caller: Caller, people: list[Contact]) -> None:
    poor = str(people[0].public_id)
    reason = caller("POST", "/audiences/why", {"text": SPENT, "contact": poor})
    assert (reason["holds"], reason["evidence"]["count"], reason["evidence"]["value"]) == (False, 1, 0)
    saved = caller(
        "POST", "/audiences", {"name": "Spenders", "tree": {"all": [{"event": "order_completed"}]}}, status=201
    )
    kept = caller("GET", f"/audiences/{saved['id']}/why/{poor}")
    assert kept["holds"]
    assert kept["parts"][0]["evidence"]["count"] == 2
    nobody = "01900000-0000-7000-8000-000000000000"
    caller("GET", f"/audiences/{saved['id']}/why/{nobody}", status=404)
