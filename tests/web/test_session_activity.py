"""The list of sessions is written once a minute, and at once when a session shows up elsewhere."""

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hongyan.accounts.permissions import Role
from tests.browser import staff

pytestmark = pytest.mark.django_db


def writes(client: Client, **headers: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        client.get("/", headers=headers)
    return sum("usersessions_usersession" in query["sql"] for query in asked.captured_queries)


def test_a_session_is_noted_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("hongyan.web.middleware.time.monotonic", lambda: clock[0])
    client = Client()
    client.force_login(staff(Role.MARKETER, language="en"))
    assert writes(client) > 0
    assert writes(client) == 0
    assert writes(client, user_agent="another browser") > 0
    assert UserSession.objects.get().user_agent == "another browser"
    clock[0] += 61
    assert writes(client) > 0
