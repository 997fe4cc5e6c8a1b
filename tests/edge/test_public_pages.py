import re

import pytest
from django.test import Client

from hongyan.accounts.types import system_actor
from hongyan.contacts.consent import refusals, states_of
from hongyan.contacts.models import ConsentRecord
from hongyan.events.models import Event
from tests.delivery import factory
from tests.edge.conftest import SentMail

ACTOR = system_actor("test")
pytestmark = pytest.mark.usefixtures("sent")


def _state(sent: SentMail) -> str:
    return states_of(actor=ACTOR, contact_id=sent.contact.pk)["email", "promotion"][0]


def test_looking_changes_nothing(client: Client, sent: SentMail) -> None:
    for path in ("u", "p", "v"):
        for _ in range(2):
            assert client.get(f"/{path}/{sent.token}").status_code == 200
    assert _state(sent) == "given"
    assert not Event.objects.exists()


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_click_without_cookie_takes_effect_at_once(sent: SentMail, content_type: str) -> None:
    client = Client(enforce_csrf_checks=True)
    if content_type.startswith("multipart"):
        answer = client.post(f"/u/{sent.token}", {"List-Unsubscribe": "One-Click"})
    else:
        answer = client.post(f"/u/{sent.token}", "List-Unsubscribe=One-Click", content_type=content_type)
    assert (answer.status_code, answer.content) == (200, b"unsubscribed\n")
    assert _state(sent) == "withdrawn"
    assert refusals([sent.contact.pk], topic_id=factory.topic().pk, transactional=False) == {
        sent.contact.pk: "unsubscribed"
    }
    event = Event.objects.get()
    assert (event.name, event.properties["origin_id"]) == ("email_unsubscribed", 7)


def test_a_second_click_changes_nothing_more(client: Client, sent: SentMail) -> None:
    for _ in range(3):
        assert client.post(f"/u/{sent.token}", {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert ConsentRecord.objects.filter(action="withdrawn").count() == 1
    assert Event.objects.count() == 1


def test_the_page_offers_everything_too(client: Client, sent: SentMail) -> None:
    answer = client.post(f"/u/{sent.token}", {"scope": "all"}, headers={"accept-language": "en"})
    assert "unsubscribed" in answer.content.decode()
    assert states_of(actor=ACTOR, contact_id=sent.contact.pk)["email", None][0] == "withdrawn"


def test_preferences_are_saved_with_evidence(client: Client, sent: SentMail) -> None:
    before = client.get(f"/p/{sent.token}").content.decode()
    assert re.search(r'value="promotion"\s+checked', before)
    answer = client.post(f"/p/{sent.token}", {"topic": ["newsletter"], "tracking": "on"})
    assert answer.status_code == 200
    states = states_of(actor=ACTOR, contact_id=sent.contact.pk)
    assert states["email", "promotion"][0] == "withdrawn"
    written = ConsentRecord.objects.latest("id")
    assert written.method == "preferences"
    assert written.sealed_evidence is not None


def test_a_wrong_token_says_so_in_both_languages(client: Client) -> None:
    for path in ("u", "p", "v"):
        for language, words in (("en", "no longer works"), ("zh-hans", "失效")):
            answer = client.get(f"/{path}/nonsense", headers={"accept-language": language})
            assert answer.status_code == 410
            assert words in answer.content.decode()


def test_the_mail_in_the_browser_is_the_one_that_was_sent_without_tracking(client: Client, sent: SentMail) -> None:
    answer = client.get(f"/v/{sent.token}")
    html = answer.content.decode()
    assert "王伟" in html
    assert "/c/" not in html
    assert "/o/" not in html
    assert "script-src" not in answer["Content-Security-Policy"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_the_language_is_kept_and_never_leads_away(client: Client) -> None:
    answer = client.post("/edge/language/", {"language": "en", "next": "https://evil.example/"})
    assert answer["Location"] == "/"
    assert client.cookies["hongyan_language"].value == "en"
