import re
from typing import Any

import orjson
import pytest
from django.test import Client

from hongyan.contacts.consent import refusals, states_of
from hongyan.contacts.models import Contact, SignupForm, Topic
from hongyan.contacts.signup import LIFE
from hongyan.contacts.signup_expiry import expire_unconfirmed
from hongyan.core import clock
from hongyan.core.crypto.keyring import keyring
from hongyan.delivery.models import DirectContent, Message
from tests.contacts.signups import ACTOR, TEXTS, signup_form
from tests.delivery import factory

pytestmark = pytest.mark.django_db


@pytest.fixture
def form() -> SignupForm:
    factory.sender()
    return signup_form()


def post(form: SignupForm, query: str = "", *, language: str = "en", **data: Any) -> Any:
    given = {"email": "li.na@example.com", "topic": ["newsletter"], **data}
    return Client(enforce_csrf_checks=True).post(f"/f/{form.public_id}/?lang={language}{query}", given)


def mail() -> dict[str, Any]:
    """The newest mail in the outbox, opened."""
    content = DirectContent.objects.latest("message_id")
    opened: dict[str, Any] = orjson.loads(keyring().records.open(bytes(content.sealed), owner_id=content.message_id))
    return opened


def link() -> str:
    found = re.search(r"http://[^\s\"<]+(/f/confirm/[\w-]+)", mail()["text"])
    assert found is not None
    return found[1]


def refusal(person: Contact) -> str | None:
    topic = Topic.objects.get(key="newsletter")
    return refusals([person.pk], topic_id=topic.pk, transactional=False)[person.pk]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_from_the_form_to_being_mailable(client: Client, form: SignupForm, language: str) -> None:
    shown = client.get(f"/f/{form.public_id}/?lang={language}").content.decode()
    assert TEXTS[language]["title"] in shown
    assert TEXTS[language]["consent"] in shown
    assert "checked" not in shown
    answer = post(form, language=language, full_name="李娜")
    assert answer.status_code == 200
    assert TEXTS[language]["done"] in answer.content.decode()

    person = Contact.objects.get()
    assert refusal(person) == "pending_confirmation"
    message = Message.objects.get()
    assert (message.origin_kind, message.contact_id, message.transactional) == ("optin", person.pk, True)
    assert mail()["to"] == "li.na@example.com"
    assert mail()["subject"] == ("请确认您的订阅" if language == "zh-hans" else "Please confirm your subscription")
    path = link()
    assert path in mail()["html"]

    for _ in range(2):  # a gateway looks before the person does
        assert client.get(path).status_code == 200
        assert client.head(path).status_code == 200
    assert refusal(person) == "pending_confirmation"

    done = Client(enforce_csrf_checks=True).post(path)
    assert done.status_code == 200
    assert refusal(person) is None
    preferences = re.search(r'href="(/p/[\w-]+)"', done.content.decode())
    assert preferences is not None
    assert client.get(preferences[1]).status_code == 200
    assert Message.objects.count() == 1


def test_twice_says_so(client: Client, form: SignupForm) -> None:
    post(form)
    path = link()
    client.post(path)
    for answer in (client.post(path, headers={"accept-language": "en"}), client.get(path)):
        assert answer.status_code == 200
        assert "confirmed before" in answer.content.decode()


def test_old_and_wrong_links_offer_a_way_on(client: Client, form: SignupForm) -> None:
    post(form)
    path = link()
    with clock.freeze(clock.now() + LIFE):
        for swept in (False, True):
            if swept:
                expire_unconfirmed()
            answer = client.post(path, headers={"accept-language": "en"})
            assert answer.status_code == 410
            assert "expired" in answer.content.decode()
            assert f"/f/{form.public_id}/" in answer.content.decode()
    wrong = client.post("/f/confirm/nonsense", headers={"accept-language": "zh-hans"})
    assert wrong.status_code == 410
    assert "失效" in wrong.content.decode()


def test_known_and_new_people_get_the_same_answer(form: SignupForm) -> None:
    new = post(form)
    Client().post(link())
    known = post(form)
    for _ in range(5):
        bombed = post(form)
    robot = post(form, **{form.honeypot: "x"})
    assert {answer.content for answer in (new, known, bombed, robot)} == {new.content}
    assert {answer.status_code for answer in (new, known, bombed, robot)} == {200}
    assert Message.objects.count() == 3  # a day


def test_a_robot_in_the_trap_leaves_nothing(form: SignupForm) -> None:
    assert post(form, **{form.honeypot: "https://spam.example"}).status_code == 200
    assert not Contact.objects.exists()
    assert not Message.objects.exists()


def test_throttled_networks_are_told(form: SignupForm) -> None:
    SignupForm.objects.update(hourly_limit=1)
    post(form)
    answer = post(form, email="other@example.com")
    assert answer.status_code == 429
    assert "Too many" in answer.content.decode()
    assert 'value="other@example.com"' in answer.content.decode()


def test_errors_stand_beside_their_fields_and_keep_what_was_typed(form: SignupForm) -> None:
    answer = post(form, email="li na@", topic=[], full_name="<b>李</b>", phone="1")
    html = answer.content.decode()
    assert answer.status_code == 422
    for name in ("email", "phone", "topics"):
        assert f'id="{name}-error"' in html
    assert "&lt;b&gt;李&lt;/b&gt;" in html
    assert not Contact.objects.exists()


def test_header_injection_goes_nowhere(client: Client, form: SignupForm) -> None:
    assert post(form, email="li@example.com\r\nBcc: all@example.com").status_code == 422
    answer = post(form, full_name="Li\r\nBcc: all@example.com")
    if answer.status_code == 200:
        client.post(link())
        assert "\n" not in mail()["subject"] + mail()["to"]
        assert "Bcc" not in mail()["subject"] + mail()["to"] + mail()["text"]


def test_no_mail_no_sign_up(form: SignupForm, settings: Any) -> None:
    settings.HONGYAN_MIN_FREE_MB = 10**12
    answer = post(form)
    assert answer.status_code == 503
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "http://www.shop.example/",
        "https://www.shop.example@evil.example/",
        "https://www.shop.example.evil.example/",
        "javascript:alert(1)",
        "/account/login/",
        "https:///evil.example",
        "\\\\evil.example",
    ],
)
def test_redirects_only_where_the_form_allows(form: SignupForm, target: str) -> None:
    assert post(form, next=target).status_code == 200
    assert target not in Client().get(f"/f/{form.public_id}/", {"next": target}).context["next"] or not target


def test_an_allowed_redirect_is_followed_but_not_inside_a_frame(form: SignupForm) -> None:
    answer = post(form, next="https://www.shop.example/thanks")
    assert (answer.status_code, answer["Location"]) == (302, "https://www.shop.example/thanks")
    assert "form-action 'self' https://www.shop.example" in answer["Content-Security-Policy"]
    assert post(form, "&embed=1", next="https://www.shop.example/thanks").status_code == 200


def test_only_the_embedded_form_may_be_framed(client: Client, form: SignupForm) -> None:
    plain = client.get(f"/f/{form.public_id}/")
    framed = client.get(f"/f/{form.public_id}/?embed=1")
    assert "frame-ancestors 'none'" in plain["Content-Security-Policy"]
    assert "X-Frame-Options" in plain.headers
    assert "frame-ancestors *" in framed["Content-Security-Policy"]
    assert "X-Frame-Options" not in framed.headers
    for answer in (plain, framed):
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert not answer.cookies
    script = client.get(f"/f/{form.public_id}/embed.js")
    assert script["Content-Type"].startswith("text/javascript")
    assert "createElement" in script.content.decode()


def test_closed_and_unknown_forms(client: Client, form: SignupForm) -> None:
    SignupForm.objects.update(active=False)
    assert client.get(f"/f/{form.public_id}/").status_code == 410
    assert post(form).status_code == 410
    assert client.get(f"/f/{form.public_id}/embed.js").status_code == 404
    assert client.get("/f/01890000-0000-7000-8000-000000000000/").status_code == 404


def test_global_privacy_control_gives_no_tracking(form: SignupForm) -> None:
    client = Client(headers={"sec-gpc": "1"})
    client.post(f"/f/{form.public_id}/", {"email": "li.na@example.com", "topic": ["newsletter"]})
    Client().post(link())
    states = states_of(actor=ACTOR, contact_id=Contact.objects.get().pk)
    assert states["tracking_open", None][0] == "withdrawn"
    assert states["email", "newsletter"][0] == "given"


def test_where_a_framed_form_stood_is_kept_without_its_query(form: SignupForm) -> None:
    from hongyan.contacts.models import ConsentRecord

    post(form, "&embed=1", **{"from": "https://shop.example/blog?email=li.na@example.com#x"})
    assert ConsentRecord.objects.get().source_url == "https://shop.example/blog"
