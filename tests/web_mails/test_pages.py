"""The pages of mails: who may do what, autosave, preview, test sends."""

from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from hongyan.accounts.permissions import Role
from hongyan.content.models import Template
from hongyan.content.ready import ready_templates
from hongyan.content.selectors import template_version
from hongyan.content.services import snippet_create
from hongyan.content.types import SourceKind
from hongyan.delivery.models import DirectContent, Message
from tests.web_mails.factory import SYSTEM, contact, html_template, ready, signed_in

pytestmark = pytest.mark.django_db


def url(name: str, *args: Any) -> str:
    return reverse(f"mails:{name}", args=args)


def body(template: Template, **more: str) -> dict[str, str]:
    version = template_version(template)
    return {"subject": version.subject, "source": version.source, "base": str(version.number), **more}


@pytest.mark.parametrize("name", ["index", "create", "snippets", "snippet_create"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_pages_open_for_writers(name: str, language: str) -> None:
    ready()
    snippet_create(actor=SYSTEM, key="foot", name="Foot", kind=SourceKind.HTML, source="x")
    assert signed_in(language=language).get(url(name)).status_code == 200


@pytest.mark.parametrize("role", [Role.SALES, Role.SUPPORT, Role.ANALYST])
def test_others_see_no_mails(role: Role) -> None:
    template = ready()
    client = signed_in(role)
    for address in (url("index"), url("edit", template.public_id), url("picture", template.public_id)):
        assert client.get(address).status_code == 403


def test_an_approver_reads_and_writes_nothing() -> None:
    template = ready()
    client = signed_in(Role.APPROVER)
    page = client.get(url("edit", template.public_id))
    assert page.status_code == 200
    assert b"data-readonly" in page.content
    assert client.post(url("judge", template.public_id), body(template)).status_code == 200
    for name in ("save", "test", "copy", "archive", "settings"):
        assert client.post(url(name, template.public_id), body(template)).status_code == 403
    assert client.post(url("start"), {"kind": "html"}).status_code == 403


def test_an_unknown_mail_is_not_found() -> None:
    client = signed_in()
    for name in ("edit", "history", "picture"):
        assert client.get(url(name, uuid4())).status_code == 404
    assert client.post(url("people", uuid4())).status_code == 404


@pytest.mark.parametrize("ready_mail", ready_templates()[::3], ids=lambda mail: f"{mail.key}-{mail.language}")
def test_a_mail_starts_from_a_ready_one(ready_mail: Any) -> None:
    given = {"ready": ready_mail.key, "language": ready_mail.language}
    answer = signed_in().post(url("start"), given)
    made = Template.objects.get()
    assert answer.headers["Location"] == url("edit", made.public_id)
    assert (made.ready_key, made.language, made.mail_type) == (
        ready_mail.key,
        ready_mail.language,
        ready_mail.mail_type,
    )


@pytest.mark.parametrize("kind", ["mjml", "html", "text"])
def test_an_empty_mail_compiles_and_has_its_unsubscribe_link(kind: str) -> None:
    client = signed_in()
    client.post(url("start"), {"kind": kind, "language": "zh-hans"})
    template = Template.objects.get()
    judged = client.post(url("judge", template.public_id), body(template, subject="x")).json()
    assert judged["problems"] == []
    assert "unsubscribe" not in {finding["code"] for finding in judged["findings"]}
    assert "退订" in template_version(template).source


def test_autosave_keeps_the_source_exactly_and_refuses_stale_pages() -> None:
    template, client = html_template("<p>a</p>"), signed_in()
    source = "<p>é 👩‍👧\t  </p>\n\n<!--[if mso]>x<![endif]-->\n"
    saved = client.post(
        url("save", template.public_id), body(template, source=source, **{"fallback:contact.city": "here"})
    )
    assert saved.json() == {"version": 2}
    version = template_version(Template.objects.get())
    assert (version.source, version.fallbacks) == (source, {"contact.city": "here"})
    stale = client.post(url("save", template.public_id), body(template, base="1", source="b"))
    assert (stale.status_code, stale.json()["conflict"]) == (409, True)


def test_opening_a_mail_changes_nothing() -> None:
    template = html_template("  <P>a\n</p>\n")
    page = signed_in().get(url("edit", template.public_id)).content.decode()
    assert "\n  &lt;P&gt;a\n&lt;/p&gt;\n</textarea>" in page


def test_problems_come_with_their_place_in_the_readers_language() -> None:
    template = html_template("x")
    given = body(template, source="<p>\n{{ contact.givenname }}</p>")
    english = signed_in().post(url("judge", template.public_id), given).json()["problems"]
    chinese = signed_in(language="zh-hans").post(url("judge", template.public_id), given).json()["problems"]
    assert (english[0]["line"], english[0]["column"]) == (2, 4)
    assert "Did you mean" in english[0]["message"]
    assert "没有" in chinese[0]["message"]


def test_the_preview_is_sandboxed_and_escaped() -> None:
    person = contact(email="a@mail.example", city="<script>x</script>")
    template = html_template("<p>{{ contact.city }}</p>")
    answer = signed_in().post(url("frame", template.public_id), body(template, contact=str(person.public_id)))
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script" not in policy
    assert b"&lt;script&gt;" in answer.content
    assert b"<script" not in answer.content
    assert "no-store" in answer.headers["Cache-Control"]


def test_marketers_preview_with_masked_names_and_sales_agents_cannot() -> None:
    person = contact(email="xiaoyu@mail.example", full_name="林小雨", city="上海")
    template = html_template("<p>{{ contact.full_name }} {{ contact.city }}</p>")
    given = body(template, contact=str(person.public_id))
    masked = signed_in().post(url("frame", template.public_id), given).content.decode()
    clear = signed_in(Role.ADMINISTRATOR).post(url("frame", template.public_id), given).content.decode()
    assert "林** 上海" in masked
    assert "林小雨 上海" in clear
    assert signed_in(Role.SALES).post(url("frame", template.public_id), given).status_code == 403


def test_somebody_without_the_value_is_named_as_not_getting_the_mail() -> None:
    person = contact(email="a@mail.example")
    template = html_template("<p>{{ contact.city }}</p>")
    judged = signed_in().post(url("judge", template.public_id), body(template, contact=str(person.public_id))).json()
    assert "contact.city" in judged["refusal"]
    assert judged["required"] == ["contact.city"]


def test_people_to_preview_as() -> None:
    person = contact(email="xiaoyu@mail.example", full_name="林小雨", city="上海")
    nobody = contact(email="nobody@mail.example")
    template, client = html_template("<p>{{ contact.city or '' }}</p>"), signed_in()
    found = client.post(url("people", template.public_id), {"q": "xiaoyu@mail.example"}).json()["people"]
    assert [entry["id"] for entry in found] == [str(person.public_id)]
    assert set(found[0]) == {"id", "name", "detail"}
    assert client.post(url("people", template.public_id), {"q": "不存在的人"}).json()["people"] == []
    assert client.post(url("people", template.public_id), {"which": "random"}).json()["people"]
    risky = client.post(url("risky", template.public_id), body(template)).json()["people"]
    assert [(entry["id"], entry["why"]) for entry in risky] == [(str(nobody.public_id), ["empty fields"])]


def test_a_test_send_queues_one_marked_mail() -> None:
    template = html_template("<p>{{ contact.city or 'x' }}</p>", subject="Hello")
    client = signed_in()
    answer = client.post(url("test", template.public_id), body(template, to="me@mail.example"))
    assert answer.status_code == 200
    message = Message.objects.get()
    assert (message.origin_kind, message.contact_id) == ("test", None)
    assert DirectContent.objects.filter(message_id=message.pk).exists()


@pytest.mark.parametrize(
    "given", [{"to": "nobody"}, {"to": "a@b.example", "source": "{{ nope }}"}, {"to": "a@b.example", "subject": ""}]
)
def test_a_test_send_that_cannot_be_is_refused_in_words(given: dict[str, str]) -> None:
    template = html_template("<p>x</p>")
    answer = signed_in().post(url("test", template.public_id), body(template) | given)
    assert (answer.status_code, bool(answer.json()["error"])) == (422, True)
    assert not Message.objects.exists()


def test_dark_preview_applies_the_mails_dark_styles() -> None:
    style = "<style>@media (prefers-color-scheme: dark) { p { color: #fff } }</style>"
    template = html_template(f"<html><head>{style}</head><body>x</body></html>")
    dark = signed_in().post(url("frame", template.public_id), body(template, scheme="dark")).content
    light = signed_in().post(url("frame", template.public_id), body(template)).content
    assert b"@media all {" in dark
    assert b"@media not all {" in light


def test_history_compares_and_restores() -> None:
    template, client = html_template("<p>one</p>"), signed_in()
    client.post(url("save", template.public_id), body(template, source="<p>two</p>", note="second"))
    page = client.get(url("history", template.public_id)).content.decode()
    assert "- &lt;p&gt;one&lt;/p&gt;" in page
    assert "+ &lt;p&gt;two&lt;/p&gt;" in page
    assert client.post(url("restore", template.public_id, 1)).status_code == 302
    assert template_version(Template.objects.get()).source == "<p>one</p>"
    assert client.get(url("history", template.public_id), {"version": "99"}).status_code == 404


def test_the_list_filters_and_takes_few_queries(django_assert_max_num_queries: Any) -> None:
    for _ in range(12):
        ready()
    ready("promotion", "en")
    client = signed_in()
    with django_assert_max_num_queries(15):
        everything = client.get(url("index")).content.decode()
    assert everything.count("<iframe") == 13
    assert client.get(url("index"), {"type": "promotion"}).content.decode().count("<iframe") == 1
    assert client.get(url("index"), {"q": "20% off"}).content.decode().count("<iframe") == 1
    assert "No mail matches" in client.get(url("index"), {"q": "zzz"}).content.decode()


def test_archiving_takes_a_mail_out_of_the_list_and_back() -> None:
    template, client = html_template("x"), signed_in()
    client.post(url("archive", template.public_id))
    assert b"<iframe" not in client.get(url("index")).content
    assert b"<iframe" in client.get(url("index"), {"state": "archived"}).content
    client.post(url("archive", template.public_id), {"state": "active"})
    assert b"<iframe" in client.get(url("index")).content


def test_snippets_are_made_changed_and_protected() -> None:
    client = signed_in()
    client.post(url("snippet_create"), {"name": "Foot", "key": "foot", "kind": "html"})
    page = client.get(url("snippets")).content.decode()
    assert "Foot" in page
    from hongyan.content.models import Snippet

    key = Snippet.objects.get().public_id
    client.post(url("snippet", key), {"name": "Foot", "source": "<i>x</i>", "base": "1"})
    stale = client.post(url("snippet", key), {"name": "Foot", "source": "y", "base": "1"})
    assert b"Somebody else has changed" in stale.content
    html_template('{% include "snippet:foot" %}')
    client.post(url("snippet_delete", key))
    assert Snippet.objects.exists()
    assert client.get(url("snippet", key), {"version": "1"}).status_code == 200
    assert client.post(url("snippet_create"), {"name": "Foot", "key": "foot", "kind": "html"}).status_code == 200


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("mjml", "<mj-text>Hello {{ contact.given_name | default('you') }}</mj-text>"),
        ("mjml", "<mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section>"),
        ("html", "<p>Hello</p>"),
        ("text", "Hello"),
    ],
)
def test_a_snippet_is_shown_as_a_mail_shows_it(kind: str, source: str) -> None:
    client = signed_in()
    snippet = snippet_create(actor=SYSTEM, key="hello", name="Hello", kind=SourceKind(kind), source="")
    shown = client.post(url("snippet_preview", snippet.public_id), {"source": source})
    assert "Hello" in shown.content.decode()
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    refused = client.post(url("snippet_preview", snippet.public_id), {"source": source + "{{ contact.shoe }}"})
    assert "contact.shoe" in refused.content.decode()
    assert client.get(url("snippet_preview", snippet.public_id)).status_code == 200


def test_a_version_gets_a_name_and_stays_as_it_is() -> None:
    client = signed_in()
    template = html_template("<p>one</p>")
    client.post(url("version_name", template.public_id, 1), {"note": "before the sale"})
    assert "before the sale" in client.get(url("history", template.public_id)).content.decode()
    client.post(url("save", template.public_id), {"base": "1", "subject": "News", "source": "<p>two</p>"})
    assert [version.source for version in template.versions.order_by("number")] == ["<p>one</p>", "<p>two</p>"]
    assert client.post(url("version_name", template.public_id, 9), {"note": "x"}).status_code == 404
