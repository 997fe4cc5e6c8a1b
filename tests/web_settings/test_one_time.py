import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client

from hongyan.accounts.links import one_time_link_create
from hongyan.accounts.models import OneTimeLink
from hongyan.audit.models import AuditEntry
from tests.accounts.factory import PASSWORD, person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_counts_left() -> None:
    cache.clear()


def test_opening_shows_a_button_and_pressing_it_signs_in_once(client: Client) -> None:
    ada = person("ada").user
    path = one_time_link_create(user=ada)
    for _ in range(2):  # a scanner opens it first
        page = client.get(path)
        assert page.status_code == 200
        assert "_auth_user_id" not in client.session
    assert page.headers["Cache-Control"].startswith("max-age=0")
    assert client.post(path).headers["Location"] == "/"
    assert client.session["_auth_user_id"] == str(ada.pk)
    assert AuditEntry.objects.filter(action="user.signed_in", subject_id=str(ada.public_id)).count() == 1
    other = Client()
    assert other.get(path).status_code == 410
    assert other.post(path).status_code == 410
    assert "_auth_user_id" not in other.session


def test_an_invited_person_chooses_a_password(client: Client) -> None:
    mei = person("mei").user
    mei.set_unusable_password()
    mei.save()
    path = one_time_link_create(user=mei, purpose=OneTimeLink.Purpose.INVITE)
    answer = client.post(path, follow=True)
    assert answer.redirect_chain[-1][0] == "/account/password/set/"
    assert answer.status_code == 200


def test_a_second_factor_is_still_asked_for(client: Client) -> None:
    ada = person("ada").user
    Authenticator.objects.create(user=ada, type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
    answer = client.post(one_time_link_create(user=ada))
    assert answer.headers["Location"] == "/account/2fa/authenticate/"
    assert "_auth_user_id" not in client.session


def test_addresses_of_staff_are_not_changed_by_themselves(client: Client) -> None:
    """An unverified address would make its owner somebody else, in caught mail and in the log."""
    ada = person("ada").user
    client.force_login(ada, backend="allauth.account.auth_backends.AuthenticationBackend")
    given = {"action_add": "", "email": "customer@shop.example"}
    assert client.get("/account/email/").status_code == client.post("/account/email/", given).status_code == 404


def test_a_reset_link_leads_to_the_address_of_the_settings_whatever_the_host(
    client: Client, settings: Any, mailoutbox: list[Any]
) -> None:
    settings.HONGYAN_BASE_URL = "https://crm.shop.example"
    client.post("/account/password/reset/", {"email": person("ada").user.email}, headers={"host": "127.0.0.1"})
    link = re.search(r"https?://\S+?(/account/password/reset/key/\S+/)", mailoutbox[0].body)
    assert link is not None
    assert link[0].startswith("https://crm.shop.example/account/")
    assert client.get(link[1], follow=True).status_code == 200


def test_an_unknown_address_gets_no_mail(client: Client, mailoutbox: list[Any]) -> None:
    asked = client.post("/account/password/reset/", {"email": "stranger@elsewhere.example"})
    known = client.post("/account/password/reset/", {"email": person("ada").user.email})
    assert (asked.status_code, asked.headers["Location"]) == (known.status_code, known.headers["Location"])
    assert [mail.to for mail in mailoutbox] == [["ada@staff.example"]]


def sign_in(client: Client, password: str, email: str = "ada@staff.example") -> bool:
    client.post("/account/login/", {"login": email, "password": password})
    return "_auth_user_id" in client.session


def test_guessing_is_throttled_and_recorded_once(client: Client) -> None:
    ada = person("ada").user
    for number in range(5):
        assert not sign_in(client, f"guess-{number}")
    assert not sign_in(client, PASSWORD)  # even the right one has to wait now
    entries = AuditEntry.objects.filter(action="user.sign_in_failed")
    assert [(entry.subject_id, entry.data) for entry in entries] == [(str(ada.public_id), {"step": "password"})]
    cache.clear()  # the five minutes pass
    assert sign_in(client, PASSWORD)


def test_what_was_typed_for_nobody_is_not_kept(client: Client) -> None:
    assert not sign_in(client, "x", "my-secret-password")
    assert not sign_in(client, "x", "nobody@staff.example")
    texts = str(list(AuditEntry.objects.values()))
    assert not re.search("my-secret|nobody@", texts)
    assert AuditEntry.objects.filter(action="user.sign_in_failed", subject_id="").exists()


def test_nobody_signs_up_alone(client: Client) -> None:
    answer = client.post("/account/signup/", {"email": "x@y.example", "password1": PASSWORD, "password2": PASSWORD})
    assert "_auth_user_id" not in client.session
    assert answer.status_code in {200, 403, 404}
