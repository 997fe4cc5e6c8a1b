"""Second factors from enrolment to sign-in, in a real browser: one-time codes, recovery codes, passkeys."""

import re

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from playwright.sync_api import Page, expect

from hongyan.accounts.permissions import Role
from tests.browser import OpenPage, Site, axe_check, staff

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse"  # of tests.browser.staff
WORDS = {
    "en": {"sign_in": "Sign in", "code": "Code", "activate": "Activate", "email": "Email", "password": "Password"},
    "zh-hans": {"sign_in": "登录", "code": "验证码", "activate": "启用", "email": "邮箱", "password": "密码"},
}


def sign_in(page: Page, origin: str, email: str) -> None:
    page.goto(origin + "/account/login/")
    page.locator("input[name=login]").fill(email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")


def confirm_password(page: Page) -> None:
    """Changing how one signs in asks for the password again."""
    if "reauthenticate" in page.url:
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("input[name=password]").press("Enter")
        page.wait_for_url(lambda url: "reauthenticate" not in url)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_one_time_codes(open_page: OpenPage, site: Site, language: str) -> None:
    cache.clear()
    person = staff(Role.MARKETER, language=language)
    page = open_page("/account/2fa/", role=None, language=language)
    sign_in(page, site.url, person.email)
    page.wait_for_url(site.url + "/")
    page.goto(site.url + "/account/2fa/totp/activate/")
    confirm_password(page)
    axe_check(page)
    secret = page.locator("#authenticator_secret, input[readonly], code").first
    shown = secret.input_value() if secret.evaluate("e => e.tagName") == "INPUT" else secret.inner_text()
    page.locator("input[name=code]").fill("000000")
    page.locator("input[name=code]").press("Enter")
    expect(page.locator("input[name=code]")).to_be_visible()  # a wrong code does not enrol
    assert not Authenticator.objects.filter(user=person).exists()
    page.locator("input[name=code]").fill(pyotp.TOTP(re.sub(r"\s", "", shown)).now())
    page.locator("input[name=code]").press("Enter")
    page.wait_for_url(re.compile("/account/2fa/(recovery-codes/)?"))
    axe_check(page)
    kinds = set(Authenticator.objects.filter(user=person).values_list("type", flat=True))
    assert kinds == {"totp", "recovery_codes"}
    page.goto(site.url + "/account/2fa/recovery-codes/")
    confirm_password(page)
    axe_check(page)
    recovery = re.search(r"\b[0-9a-z]{8,}\b", page.locator("textarea, pre").first.input_value())
    assert recovery is not None
    cache.clear()  # the code just used may not be used twice within its half minute
    again = open_page("/account/login/", role=None, language=language)
    sign_in(again, site.url, person.email)
    again.wait_for_url(re.compile("/account/2fa/authenticate/"))
    axe_check(again)
    again.locator("input[name=code]").fill(recovery.group())
    again.locator("input[name=code]").press("Enter")
    again.wait_for_url(site.url + "/")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_passkeys(open_page: OpenPage, site: Site, language: str) -> None:
    """A virtual authenticator stands for the fingerprint reader; browsers ask for a host name, not an address."""
    cache.clear()
    person = staff(Role.MARKETER, language=language)
    origin = site.url.replace("127.0.0.1", "localhost")
    page = open_page("/account/login/", role=None, language=language)
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    tools.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {**options, "isUserVerified": True, "automaticPresenceSimulation": True}},
    )
    sign_in(page, origin, person.email)
    page.wait_for_url(origin + "/")
    page.goto(origin + "/account/2fa/webauthn/add/")
    confirm_password(page)
    axe_check(page)
    page.locator("input[name=name]").fill("笔记本电脑")
    page.locator("input[name=passwordless]").check()
    page.locator("#mfa_webauthn_add").click()
    page.wait_for_url(lambda url: "/add/" not in url)  # only when the new page stands can it be looked at
    axe_check(page)
    assert Authenticator.objects.filter(user=person, type="webauthn").count() == 1
    page.goto(origin + "/account/2fa/webauthn/")
    confirm_password(page)
    expect(page.get_by_text("笔记本电脑")).to_be_visible()
    axe_check(page)
    page.context.clear_cookies()
    page.goto(origin + "/account/login/")
    page.locator("#passkey_login").click()
    page.wait_for_url(origin + "/")
