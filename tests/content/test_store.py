"""Templates, snippets, content versions, contexts and preflight on a real database."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.permissions import ROLE_PERMISSIONS, Role
from hongyan.accounts.types import Actor, system_actor
from hongyan.contacts.models import Contact, FieldDefinition
from hongyan.contacts.services import contact_create
from hongyan.contacts.types import ContactValues
from hongyan.content.checks import checks
from hongyan.content.contexts import contexts
from hongyan.content.errors import ContentProblem, EditConflict, NameTaken, SnippetInUse
from hongyan.content.models import ContentVersion, TemplateVersion
from hongyan.content.preflight import empty_values
from hongyan.content.preview import preview_example
from hongyan.content.ready import ready_templates
from hongyan.content.risk import riskiest
from hongyan.content.selectors import snippet_sources, template_by_id, template_draft, template_history
from hongyan.content.services import (
    content_compile,
    content_version_create,
    snippet_create,
    snippet_delete,
    snippet_save,
    template_create,
    template_restore,
    template_save,
)
from hongyan.content.types import Level, MailDraft, MailType, SourceKind, TemplateContent
from hongyan.core import clock
from hongyan.core.sql import SQL
from tests.browser import staff
from tests.content.factory import SENDER, in_mjml

pytestmark = pytest.mark.django_db
SYSTEM = system_actor("test")
EVERYONE = SQL("SELECT id FROM contacts_contact")
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def actor_with(role: Role) -> Actor:
    return Actor(kind="user", id=staff(role).pk, label="x", permissions=ROLE_PERMISSIONS[role])


def draft(source: str, **more: Any) -> MailDraft:
    more.setdefault("subject", "News")
    return MailDraft(kind=SourceKind.HTML, source=source, **more)


def contact(**values: Any) -> Contact:
    return contact_create(actor=SYSTEM, values=ContactValues(values), source="test")


def template() -> UUID:
    made = template_create(
        actor=SYSTEM,
        name="T",
        kind=SourceKind.HTML,
        mail_type=MailType.NEWSLETTER,
        content=TemplateContent(subject="A", source="<p>a</p>"),
    )
    return made.public_id


def save(actor: Actor, key: UUID, base: int, source: str, note: str = "") -> TemplateVersion:
    content = TemplateContent(subject="A", source=source)
    return template_save(actor=actor, template_id=key, base=base, content=content, note=note)


def test_equal_drafts_share_one_unchangeable_version() -> None:
    first = content_version_create(actor=SYSTEM, draft=draft("<p>a</p>"))
    assert content_version_create(actor=SYSTEM, draft=draft("<p>a</p>")).pk == first.pk
    assert content_version_create(actor=SYSTEM, draft=draft("<p>b</p>")).pk != first.pk
    with pytest.raises(DatabaseError), transaction.atomic():
        ContentVersion.objects.filter(pk=first.pk).update(subject="other")


@pytest.mark.parametrize("role", [Role.SALES, Role.ANALYST, Role.APPROVER])
def test_only_writers_make_content(role: Role) -> None:
    with pytest.raises(PermissionRefused):
        content_version_create(actor=actor_with(role), draft=draft("<p>a</p>"))
    with pytest.raises(PermissionRefused):
        save(actor_with(role), template(), 1, "<p>b</p>")


def test_saves_of_one_sitting_are_one_entry_of_the_history() -> None:
    writer, key = actor_with(Role.MARKETER), template()
    with clock.freeze(NOON):
        assert save(writer, key, 1, "<p>b</p>").number == 2
        assert save(writer, key, 2, "<p>c</p>").number == 2
        assert save(writer, key, 2, "<p>d</p>", note="final").number == 2
        assert save(writer, key, 2, "<p>e</p>").number == 3
    with clock.freeze(NOON + timedelta(minutes=11)):
        assert save(writer, key, 3, "<p>e</p>").number == 3
        assert save(writer, key, 3, "<p>f</p>").number == 4
        assert save(actor_with(Role.MARKETER), key, 4, "<p>g</p>").number == 5
    history = template_history(template_by_id(key))
    assert [version.source for version in history] == ["<p>g</p>", "<p>f</p>", "<p>e</p>", "<p>d</p>", "<p>a</p>"]


def test_nobody_writes_over_somebody_elses_change() -> None:
    key = template()
    save(SYSTEM, key, 1, "<p>b</p>")
    with pytest.raises(EditConflict):
        save(SYSTEM, key, 1, "<p>c</p>")


def test_a_restore_is_a_new_entry() -> None:
    key = template()
    save(SYSTEM, key, 1, "<p>b</p>")
    restored = template_restore(actor=SYSTEM, template_id=key, number=1, note="back")
    assert (restored.number, restored.source) == (3, "<p>a</p>")


def test_snippets_change_mails_built_afterwards_only() -> None:
    snippet = snippet_create(actor=SYSTEM, key="foot", name="Foot", kind=SourceKind.HTML, source="<i>one</i>")
    source = "<p>x</p>{% include 'snippet:foot' %}"
    before = content_version_create(actor=SYSTEM, draft=draft(source))
    snippet_save(actor=SYSTEM, snippet_id=snippet.public_id, base=1, source="<i>two</i>")
    after = content_version_create(actor=SYSTEM, draft=draft(source))
    assert "one" in before.compiled_html
    assert "two" in after.compiled_html
    assert snippet_sources() == {"foot": "<i>two</i>"}
    with pytest.raises(NameTaken):
        snippet_create(actor=SYSTEM, key="foot", name="Foot", kind=SourceKind.HTML, source="")


def test_a_snippet_in_use_cannot_be_deleted() -> None:
    snippet = snippet_create(actor=SYSTEM, key="foot", name="Foot", kind=SourceKind.HTML, source="x")
    key = template()
    save(SYSTEM, key, 1, "{% include 'snippet:foot' %}")
    with pytest.raises(SnippetInUse):
        snippet_delete(actor=SYSTEM, snippet_id=snippet.public_id)
    save(SYSTEM, key, 2, "nothing")
    snippet_delete(actor=SYSTEM, snippet_id=snippet.public_id)


def test_contexts_take_a_fixed_number_of_queries_and_open_seals_only_when_asked() -> None:
    people = [contact(email=f"a{number}@mail.example", given_name="小雨", city="上海") for number in range(3)]
    ids = [person.pk for person in people]
    for variables, most in ((["contact.city"], 1), (["contact.city", "contact.given_name", "today.text"], 2)):
        with CaptureQueriesContext(
            connection,
        ) as few:
            contexts(ids[:1], variables)
        with CaptureQueriesContext(connection) as many:
            contexts(ids, variables)
        assert len(few) == len(many) <= most
        assert ("sealed" in json.dumps([query["sql"] for query in many])) is ("contact.given_name" in variables)


def test_contexts_leave_out_what_is_empty_and_write_values_in_the_language_of_the_mail() -> None:
    FieldDefinition.objects.create(key="since", label_zh="自", label_en="Since", type="date")
    person = contact(
        email="a@mail.example", full_name="林小雨", sex="2", country="CN", **{"custom.since": "2026-03-01"}
    )
    variables = ["contact.full_name", "contact.city", "contact.salutation", "contact.country_name"]
    variables += ["contact.fields.since", "today.text", "today.iso"]
    late = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
    chinese = contexts([person.pk], variables, language="zh-hans", at=late)[person.pk]
    english = contexts([person.pk], variables, language="en", at=late)[person.pk]
    assert chinese["contact"] == {
        "full_name": "林小雨",
        "salutation": "女士",
        "country_name": "中国",
        "fields": {"since": "2026年3月1日"},
    }
    assert chinese["today"]["text"] == "2026年11月23日"  # Shanghai is a day ahead of London then
    assert english["contact"]["salutation"] == "Ms"
    assert english["contact"]["fields"] == {"since": "1 March 2026"}


def test_contexts_can_be_masked() -> None:
    person = contact(email="xiaoyu@mail.example", full_name="林小雨")
    context = contexts([person.pk], ["contact.full_name", "contact.email"], masked=True)[person.pk]
    assert context["contact"]["full_name"] == "林**"
    assert "xiaoyu" not in context["contact"]["email"]


def test_empty_values_are_counted_over_the_whole_audience() -> None:
    FieldDefinition.objects.create(key="level", label_zh="等级", label_en="Level", type="text")
    contact(email="a@mail.example", full_name="林小雨", city="上海", **{"custom.level": "gold"})
    contact(email="b@mail.example", city="上海")
    contact(phone="+86 138 0000 1234", given_name="Ada")
    source = "{{ contact.full_name }}{{ contact.city or '?' }}{{ contact.fields.level }}{{ contact.email }}"
    version = content_version_create(actor=SYSTEM, draft=draft(source + "{{ today.text }}"))
    counts = {count.field: (count.empty, count.total, count.fallback) for count in empty_values(version, EVERYONE)}
    assert counts == {
        "contact.full_name": (1, 3, None),
        "contact.city": (1, 3, "?"),
        "contact.fields.level": (2, 3, None),
        "contact.email": (1, 3, None),
    }
    only = SQL("SELECT id FROM contacts_contact WHERE city = %(a0)s", {"a0": "上海"})
    assert {count.total for count in empty_values(version, only)} == {2}


def test_the_riskiest_are_found_with_their_reasons() -> None:
    contact(email="plain@mail.example", full_name="林小雨", city="上海")
    nothing = contact(email="nothing@mail.example")
    arabic = contact(email="ar@mail.example", full_name="محمد", city="دبي")
    long = contact(email="long@mail.example", full_name="Maximiliane von und zu Hohenstein-Wartburg", city="x")
    version = content_compile(draft("{{ contact.full_name or '' }}{{ contact.city or '' }}"))
    found = {risky.contact_id: set(risky.reasons) for risky in riskiest(version)}
    assert found == {nothing.pk: {"empty"}, arabic.pk: {"script"}, long.pk: {"long"}}


@pytest.mark.parametrize("ready", ready_templates(), ids=lambda ready: f"{ready.key}-{ready.language}")
def test_ready_mails_are_without_fault(ready: Any) -> None:
    version = content_compile(ready.draft())
    assert [finding for finding in checks(version) if finding.level is not Level.NOTE] == []
    mail = preview_example(version, sender=SENDER)
    assert mail.subject
    assert len(mail.html.encode()) < 40_000
    assert ("#unsubscribe" in mail.html) is (ready.mail_type is not MailType.TRANSACTIONAL)
    assert not [path for path in version.required if path.startswith("contact.")]


GOOD = in_mjml(
    'Hello {{ contact.city or "x" }}, a paragraph of some length so that there is something to read here and there.'
    '<a href="https://shop.example/">Shop</a> <a href="{{ unsubscribe_url }}">Unsubscribe</a> {{ sender.address }}'
)


def codes(source: str, kind: SourceKind = SourceKind.HTML, **more: Any) -> set[str]:
    more.setdefault("subject", "News")
    more.setdefault("preheader", "About things")
    version = content_compile(MailDraft(kind=kind, source=source, **more))
    return {finding.code for finding in checks(version)}


def test_a_good_mail_has_no_findings() -> None:
    assert codes(GOOD, SourceKind.MJML) == set()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("Hello", "尊敬的[姓名]", "placeholder"),
        ("Hello", "[[name]]", "placeholder"),
        ("Hello", "*|FNAME|*", "placeholder"),
        ("{{ unsubscribe_url }}", "https://shop.example/u", "unsubscribe"),
        (" {{ sender.address }}", "", "sender_address"),
        ("https://shop.example/", "#", "link_empty"),
        ("https://shop.example/", "https://www.example.com/x", "link_leftover"),
        ("https://shop.example/", "http://shop.example/", "link_http"),
        ("https://shop.example/", "/offers", "link_relative"),
        ("https://shop.example/", "https://bit.ly/x", "link_shortener"),
        (">Shop<", ">www.bank.example<", "link_mismatch"),
        ("Hello", "中奖 Hello", "spam_words"),
        ("Hello", "<img src='https://a.example/i.png' width='10'>Hello", "image_alt"),
        ("Hello", "<img src='https://a.example/i.png' alt='x'>Hello", "image_size"),
        ("Hello", "<img src='http://a.example/i.png' alt='x' width='10'>Hello", "image_http"),
        ("Hello", "<img src='i.png' alt='x' width='10'>Hello", "image_relative"),
        ("Hello", "<p style='color:#aaaaaa;background:#ffffff'>Hello</p>", "contrast"),
        ("Hello", "Hello " + "x" * 110_000, "size"),
    ],
)
def test_finds(old: str, new: str, code: str) -> None:
    assert codes(GOOD.replace(old, new), SourceKind.MJML) == {code}


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        ("", "subject_empty"),
        ("★★", "subject_no_words"),
        ("字" * 31, "subject_long"),
        ("Re: your order", "subject_fake_reply"),
        ("回复：您的订单", "subject_fake_reply"),
        ("a\u202eb", "subject_invisible"),
        ("Buy now!!!", "subject_loud"),
    ],
)
def test_judges_subjects(subject: str, code: str) -> None:
    assert code in codes(GOOD, SourceKind.MJML, subject=subject)


def test_findings_point_to_the_line_of_the_author() -> None:
    version = content_compile(draft("<p>x</p>\n<p>\n<a href='#'>x</a></p>", mail_type=MailType.TRANSACTIONAL))
    places = {finding.code: finding.place for finding in checks(version)}
    assert places["language"] == "source:1"


def test_external_styles_are_left_out_and_said_so() -> None:
    head = "<link rel=stylesheet href=https://f.example/x.css><style>@import url(https://f.example/y);p{}</style>"
    source = f"<html lang=en><head>{head}</head>x"
    version = content_compile(draft(source))
    assert "f.example" not in version.compiled_html
    assert "external_css" in {finding.code for finding in checks(version)}


def test_a_template_becomes_a_draft_with_the_campaigns_choices() -> None:
    key = template()
    save(SYSTEM, key, 1, "<p>{{ contact.city }}</p>")
    made = template_draft(template_by_id(key), subject="S", fallbacks={"contact.city": "here"}, utm_campaign="c")
    assert (made.subject, dict(made.fallbacks), made.utm_campaign) == ("S", {"contact.city": "here"}, "c")
    assert content_compile(made).required == []


def test_a_draft_with_faults_is_not_kept() -> None:
    with pytest.raises(ContentProblem):
        content_version_create(actor=SYSTEM, draft=draft("{{ nope }}"))
    assert not ContentVersion.objects.exists()
