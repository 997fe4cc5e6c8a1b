"""Why a person is in an audience or not: from the audience, from the contact, condition by condition."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from hongyan.accounts.permissions import Role
from hongyan.audience import saved
from hongyan.audience.models import SavedAudience
from hongyan.contacts.models import Contact
from hongyan.contacts.services import contact_create
from hongyan.contacts.types import ContactValues
from hongyan.core import clock
from hongyan.core.ids import uuid7
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from tests.audience.factory import SYSTEM
from tests.browser import staff
from tests.web_audiences_pages.test_pages import asked, signed_in

pytestmark = pytest.mark.django_db
TREE = {
    "all": [
        {"field": "city", "op": "=", "value": "上海"},
        {"event": "email_opened", "op": ">=", "count": 2, "within_days": 90},
        {"not": {"event": "order_completed"}},
    ]
}


@pytest.fixture
def wang() -> Contact:
    values = {"full_name": "Wang Xiaoming", "email": "xiaoming@shop.example", "city": "上海"}
    made = contact_create(actor=SYSTEM, values=ContactValues(values), source="test")
    append(
        [
            NewEvent(
                contact_id=made.pk,
                name="email_opened",
                occurred_at=clock.now() - timedelta(days=days),
                source="test",
                properties={},
                dedupe_key=None,
            )
            for days in (3, 40, 200)
        ]
    )
    return made


@pytest.fixture
def audience() -> SavedAudience:
    return saved.audience_create(actor=SYSTEM, name="Openers", tree=TREE)


@pytest.mark.parametrize(("language", "word"), [("en", "2 events counted"), ("zh-hans", "有 2 个事件算数")])
def test_each_condition_names_what_decided_it(wang: Contact, audience: SavedAudience, language: str, word: str) -> None:
    client = signed_in(language=language)
    page = reverse("audiences:why_person", args=[audience.public_id, wang.public_id])
    client.get(page)
    with asked(at_most=10):
        text = client.get(page).content.decode()
    assert word in text
    assert "上海" in text
    assert text.count("reason-yes") == 4  # the whole, two conditions, and the "not"
    assert text.count("reason-no") == 1  # the order that never was


def test_who_is_not_in_sees_which_condition_fails(wang: Contact, audience: SavedAudience) -> None:
    Contact.objects.filter(pk=wang.pk).update(city="北京")
    text = signed_in().get(reverse("audiences:why_person", args=[audience.public_id, wang.public_id])).content.decode()
    assert "is not in it" in text
    assert "value: 北京" in text


def test_a_person_is_found_by_name_and_the_name_stays_out_of_the_address(
    wang: Contact, audience: SavedAudience
) -> None:
    client = signed_in(Role.SALES)
    page = reverse("audiences:why", args=[audience.public_id])
    assert client.get(page).status_code == 200
    text = client.post(page, {"q": "Xiaoming"}).content.decode()
    assert reverse("audiences:why_person", args=[audience.public_id, wang.public_id]) in text
    assert 'method="post"' in text
    assert "Nobody found" in client.post(page, {"q": "nobody of that name"}).content.decode()


def test_from_the_contact_all_audiences_are_one_step_away(wang: Contact, audience: SavedAudience) -> None:
    saved.audience_create(actor=SYSTEM, name="Beijing", tree={"field": "city", "op": "=", "value": "北京"})
    client = signed_in()
    fragment = client.get(reverse("contacts:choices", args=[wang.public_id, "audiences"])).content.decode()
    assert "Openers" in fragment
    assert "Beijing" not in fragment
    page = reverse("audiences:of_contact", args=[wang.public_id])
    assert page in fragment
    text = client.get(page).content.decode()
    assert text.index("Openers") < text.index("Beijing")
    assert "In 1 of 2 saved audiences" in text


def test_unknown_people_are_not_there_and_names_are_masked(wang: Contact, audience: SavedAudience) -> None:
    client = Client()
    client.force_login(staff(Role.MARKETER, language="en"))
    assert client.get(reverse("audiences:why_person", args=[audience.public_id, uuid7()])).status_code == 404
    for page in (
        reverse("audiences:why_person", args=[audience.public_id, wang.public_id]),
        reverse("audiences:of_contact", args=[wang.public_id]),
    ):
        assert "Wang Xiaoming" not in client.get(page).content.decode()
