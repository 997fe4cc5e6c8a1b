"""Whoever works with figures sees what arrives, masked; what is to become of it stays with administrators."""

import pytest
from django.test import Client

from hongyan.accounts.permissions import Role
from hongyan.core import clock
from hongyan.events import catalogue
from hongyan.events.models import EventName
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from tests.browser import staff

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(role: Role) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(staff(role, language="en"))
    return client


@pytest.fixture
def name() -> EventName:
    append([NewEvent(1, "Trial Begun", clock.now(), "shop", {"plan": "a-secret-plan", "path": "/tea"})])
    while catalogue.fold():
        pass
    return EventName.objects.get(name="Trial Begun")


@pytest.mark.parametrize("role", [Role.MARKETER, Role.ANALYST])
def test_what_arrives_is_seen_but_not_decided(name: EventName, role: Role) -> None:
    client = client_of(role)
    overview = client.get("/events/").content.decode()
    assert "Trial Begun" in overview
    assert "/events/keys/" not in overview
    assert "/events/names/new/" not in overview
    live = client.get("/events/live/").content.decode()
    assert "path: /tea" in live
    assert "a-secret-plan" not in live
    shown = client.get(f"/events/names/{name.pk}/").content.decode()
    assert "plan" in shown
    assert 'name="keep_days"' not in shown
    assert client.post(f"/events/names/{name.pk}/", {"about": "mine", "planned": "on"}).status_code == 403
    assert client.post(f"/events/names/{name.pk}/violations/removal").status_code == 403
    name.refresh_from_db()
    assert (name.about, name.planned) == ("", False)
    assert "/events/" in client.get("/data/").content.decode()
    assert client.get("/events/keys/").status_code == 403


def test_administrators_still_decide(name: EventName) -> None:
    client = client_of(Role.ADMINISTRATOR)
    assert 'name="keep_days"' in client.get(f"/events/names/{name.pk}/").content.decode()
    assert client.post(f"/events/names/{name.pk}/", {"about": "It begins", "planned": "on"}).status_code == 302
    name.refresh_from_db()
    assert (name.about, name.planned) == ("It begins", True)


def test_support_does_not_see_figures(name: EventName) -> None:
    assert client_of(Role.SUPPORT).get("/events/").status_code == 403
    assert client_of(Role.SUPPORT).get(f"/events/names/{name.pk}/").status_code == 403
