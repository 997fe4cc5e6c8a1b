"""What the builder asks the server, through the test client."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from hongyan.accounts.permissions import Role
from hongyan.core import clock
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from tests.audience.factory import group, people, tag
from tests.browser import staff

pytestmark = pytest.mark.django_db
SHANGHAI = {"field": "city", "op": "=", "value": "上海"}
NO_EMAIL = {"field": "has_email", "op": "=", "value": False}


@pytest.fixture
def marketer() -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.force_login(staff(Role.MARKETER, language="en"))
    return client


def ask(client: Client, tree: Any, want: str) -> dict[str, Any]:
    address = reverse("audiences:preview") + f"?want={want}"
    answer = client.post(address, json.dumps(tree), content_type="application/json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_words_count_and_people_come_apart(marketer: Client) -> None:
    people(3, city="上海")
    people(1, city="北京")
    tree = {"all": [SHANGHAI, {"not": {"any": [NO_EMAIL]}}]}
    words = ask(marketer, tree, "words")
    assert words["problems"] == []
    assert words["sentence"].startswith("Contacts whose city is “上海”")
    assert words["text"] == 'city = "上海" and not any(has_email = false)'
    assert words["texts"]["/all/1"] == "not any(has_email = false)"
    assert words["texts"]["/all/1/not/any/0"] == "has_email = false"
    size = ask(marketer, SHANGHAI, "count")
    assert (size["count"], size["total"]) == (3, 4)
    assert len(ask(marketer, SHANGHAI, "people")["people"]) == 3


def test_each_part_says_what_it_holds_alone_and_what_is_left_after_it(marketer: Client) -> None:
    vip = tag("vip", group())
    people(3, city="上海")
    people(2, city="北京")
    people(5, city="杭州")
    tree = {"all": [NO_EMAIL, {"any": [SHANGHAI, {"field": "city", "op": "=", "value": "北京"}]}, {"tag": vip.key}]}
    parts = ask(marketer, tree, "parts")["parts"]
    assert {path: (part["alone"], part["left"]) for path, part in parts.items()} == {
        "/all/0": (10, 10),
        "/all/1": (5, 5),
        "/all/1/any/0": (3, 3),
        "/all/1/any/1": (2, 5),
        "/all/2": (0, 0),
    }


@pytest.mark.parametrize("body", ["", "nonsense", "[" * 100_000, "null", '{"all": []}', '{"tag": "gone"}', "NaN"])
@pytest.mark.parametrize("want", ["words", "count", "people", "parts", "everything"])
def test_nonsense_is_a_problem_not_a_failure(marketer: Client, body: str, want: str) -> None:
    answer = marketer.post(reverse("audiences:preview") + f"?want={want}", body, content_type="application/json")
    assert answer.status_code == 200
    assert answer.json()["problems"]
    assert not {"count", "people", "parts"} & set(answer.json())


def test_what_is_complete_but_wrong_still_has_a_text(marketer: Client) -> None:
    found = ask(marketer, {"tag": "gone"}, "words")
    assert [problem["path"] for problem in found["problems"]] == ["/tag"]
    assert found["text"] == 'tag("gone")'


def test_values_of_events_are_those_several_people_have(marketer: Client) -> None:
    somebody, another = people(2)
    at = clock.now() - timedelta(days=1)
    bought = [(somebody, "茶"), (another, "茶"), (somebody, "Coffee"), (another, "Coffee"), (somebody, "only mine")]
    append(
        [
            NewEvent(
                contact_id=who.pk,
                name="product_viewed",
                occurred_at=at,
                source="test",
                properties={"category": what, "products": [{"brand": f"{what}!"}, "nothing"]},
            )
            for who, what in bought
        ]
    )

    def offered(**query: str) -> list[str]:
        answer = marketer.get(reverse("audiences:values"), query)
        return [item["value"] for item in answer.json()["values"]]

    assert offered(event="product_viewed", property="category") == ["Coffee", "茶"]
    assert offered(event="product_viewed", property="category", q="COF") == ["Coffee"]
    assert offered(event="product_viewed", property="products[].brand", q="co") == ["Coffee!"]
    assert offered(event="product_viewed", property="nothing") == []
    assert offered(event="never", property="category") == []
    assert offered(object="none", field="x") == offered(field="full_name") == offered(q="\x00") == []


def test_the_vocabulary_names_everything_in_the_readers_language(marketer: Client) -> None:
    tag("vip", group(), name_zh="贵宾", name_en="VIP")
    words = marketer.get(reverse("audiences:vocabulary")).json()
    assert {item["value"]: item["label"] for item in words["tags"]} == {"vip": "VIP"}
    assert {"value": "order_completed", "label": "placed an order"}.items() <= next(
        item for item in words["events"] if item["value"] == "order_completed"
    ).items()
    assert any(field["key"] == "lifecycle.stage" and field["choices"] for field in words["fields"])
    assert words["examples"]
    for example in words["examples"]:
        assert ask(marketer, example["tree"], "words")["problems"] == []
