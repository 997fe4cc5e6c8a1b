"""Who gets in, in which language, with which headers."""

from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from hongyan.accounts.models import User
from hongyan.accounts.permissions import Permission, Role
from hongyan.core.proxies import client_ip
from hongyan.web.words import permission_label, role_label
from tests.browser import staff

pytestmark = pytest.mark.django_db


def signed_in(*roles: Role, language: str = "") -> tuple[Client, User]:
    user = staff(*roles, language=language)
    client = Client()
    client.force_login(user)
    return client, user


def test_stranger_is_sent_to_sign_in_and_back() -> None:
    response = Client().get("/jobs/?x=1")
    assert response.status_code == 302
    assert response.headers["Location"] == "/account/login/?next=/jobs/%3Fx%3D1"


def test_an_address_of_a_button_opened_as_a_page_says_so() -> None:
    client, _ = signed_in(Role.ADMINISTRATOR)
    response = client.get(f"/contacts/{uuid4()}/erasure/", headers={"Accept-Language": "en"})
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    assert b"belongs to a button" in response.content


def test_fragment_sends_the_whole_window_to_sign_in() -> None:
    response = Client().get("/jobs/tray/", headers={"HX-Request": "true"})
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/account/login/"


def test_every_staff_address_asks_for_sign_in() -> None:
    """The rule is the default: whatever a room adds is closed unless it says otherwise."""
    from django.urls import get_resolver

    open_to_all = {"home:language", "home:theme"}
    for name in get_resolver().namespace_dict:
        if name in {"edge", "api"}:
            continue
        for view_name in _names_without_arguments(name):
            if f"{name}:{view_name}" in open_to_all:
                continue
            response = Client().get(reverse(f"{name}:{view_name}"))
            assert response.status_code == 302, f"{name}:{view_name}"
            assert "/account/login/" in response.headers["Location"]


def _names_without_arguments(namespace: str) -> list[str]:
    from django.urls import NoReverseMatch, get_resolver

    _, resolver = get_resolver().namespace_dict[namespace]
    names = []
    for key in resolver.reverse_dict:
        try:
            reverse(f"{namespace}:{key}")
        except NoReverseMatch:
            continue
        names.append(str(key))
    return names


def test_answers_forbid_everything_inline() -> None:
    client, _ = signed_in(Role.MARKETER)
    response = client.get("/")
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert "object-src 'none'" in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in response.headers["Permissions-Policy"]
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_page_holds_nothing_inline() -> None:
    client, _ = signed_in(Role.ADMINISTRATOR)
    html = client.get("/styleguide/").content.decode()
    assert " style=" not in html
    assert "<style" not in html
    assert " onclick" not in html


def test_staff_pages_are_kept_by_nobody() -> None:
    client, _ = signed_in(Role.MARKETER)
    for address in ("/", "/audiences/builder/catalogue/", "/settings/"):
        assert client.get(address).headers["Cache-Control"] == "private, no-store", address
    assert client.post("/search/", {"q": "li"}).headers["Cache-Control"] == "private, no-store"
    assert Client().get("/api/v1/contacts").headers["Cache-Control"] == "private, no-store"


def test_missing_permission_is_named_with_the_roles_that_have_it() -> None:
    client, _ = signed_in(Role.ANALYST, language="en")
    response = client.get("/styleguide/")
    assert response.status_code == 403
    html = response.content.decode()
    assert permission_label(Permission.SETTINGS_EDIT) in html
    assert role_label(Role.ADMINISTRATOR) in html
    assert role_label(Role.MARKETER) not in html


def test_missing_permission_in_a_fragment_is_a_toast() -> None:
    client, _ = signed_in(Role.ANALYST, language="zh-hans")
    response = client.get("/styleguide/", headers={"HX-Request": "true"})
    assert response.status_code == 403
    assert response.headers["HX-Reswap"] == "none"
    assert "hy:toast" in response.headers["HX-Trigger"]
    assert response.headers["HX-Trigger"].isascii()


def test_language_follows_user_then_cookie_then_browser_then_chinese() -> None:
    def language(client: Client, accept: str = "") -> str:
        return client.get("/account/login/", headers={"Accept-Language": accept}).headers["Content-Language"]

    stranger = Client()
    assert language(stranger) == "zh-hans"
    assert language(stranger, "en-GB,en") == "en"
    stranger.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    assert language(stranger, "en-GB,en") == "zh-hans"
    client, _ = signed_in(Role.MARKETER, language="en")
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    assert client.get("/").headers["Content-Language"] == "en"


def test_switching_the_language_is_remembered_for_browser_and_user() -> None:
    client, user = signed_in(Role.MARKETER, language="en")
    response = client.post("/language/", {"language": "zh-hans", "next": "/jobs/"})
    assert response.headers["Location"] == "/jobs/"
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "zh-hans"
    user.refresh_from_db()
    assert user.language == "zh-hans"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_switches_lead_nowhere_else(target: str) -> None:
    for address in ("/language/", "/theme/"):
        response = Client().post(address, {"language": "en", "theme": "dark", "next": target})
        assert response.headers["Location"] == "/"


def test_unknown_language_and_theme_change_nothing() -> None:
    client = Client()
    client.post("/language/", {"language": "tlh"})
    client.post("/theme/", {"theme": "neon"})
    assert settings.LANGUAGE_COOKIE_NAME not in client.cookies
    assert "hongyan_theme" not in client.cookies


def test_theme_is_in_the_first_byte() -> None:
    client = Client()
    client.post("/theme/", {"theme": "dark"})
    assert 'data-theme="dark"' in client.get("/account/login/").content.decode()[:300]
    client.cookies["hongyan_theme"] = '"><script>'
    assert 'data-theme="auto"' in client.get("/account/login/").content.decode()[:300]


def test_times_are_in_the_zone_of_the_user() -> None:
    from datetime import UTC, datetime

    from django.utils import timezone

    from hongyan.web.figures import moment

    at = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    with timezone.override("Asia/Shanghai"):
        assert moment(at) in {"2026年11月23日 07:30", "23 Nov 2026, 07:30"}


def test_missing_page_is_a_page() -> None:
    client, _ = signed_in(Role.MARKETER, language="en")
    response = client.get(f"/nothing/{uuid4()}/")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_page_left_open_says_so() -> None:
    user = staff(Role.MARKETER, language="en")
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    response = client.post("/language/", {"language": "en"})
    assert response.status_code == 403
    assert "open too long" in response.content.decode()


def test_server_error_page_needs_no_database(django_assert_num_queries: object) -> None:
    from django.test import RequestFactory

    from hongyan.web.refusals import server_error

    with django_assert_num_queries(0):  # type: ignore[operator]
        response = server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert b"<h1>" in response.content


def test_forwarded_addresses_are_believed_only_from_proxies() -> None:
    trusted = {"10.0.0.1", "10.0.0.2"}
    assert client_ip("203.0.113.5", "1.2.3.4", trusted) == "203.0.113.5"
    assert client_ip("10.0.0.1", "1.2.3.4, 203.0.113.5", trusted) == "203.0.113.5"
    assert client_ip("10.0.0.1", "1.2.3.4, 203.0.113.5, 10.0.0.2", trusted) == "203.0.113.5"
    assert client_ip("10.0.0.1", "", trusted) == "10.0.0.1"
    assert client_ip("10.0.0.1", "rubbish", trusted) == "10.0.0.1"
    assert client_ip(None, "1.2.3.4", trusted) is None
    assert client_ip("2001:db8::1", "", trusted) == "2001:db8::1"


def test_texts_no_database_can_hold_are_no_fault() -> None:
    client, _ = signed_in(Role.ADMINISTRATOR)
    asked = ("/contacts/?city=%00", "/campaigns/?q=%00", "/events/live/?name=%00")
    assert {address: client.get(address).status_code for address in asked} == dict.fromkeys(asked, 400)
    assert client.post("/search/", {"q": "\x00"}).status_code == 400
