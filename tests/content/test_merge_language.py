"""What an author may write between the brackets, and what each person reads."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.content.errors import ContentProblem, EmptyValue
from tests.content.factory import compiled, rendered


def problem(source: str, **more: Any) -> tuple[int, int, str]:
    with pytest.raises(ContentProblem) as caught:
        compiled(source, **more)
    return caught.value.line, caught.value.column, caught.value.code


def body(source: str, contact: dict[str, Any] | None = None, **more: Any) -> str:
    return rendered(source, contact, "text", **more).text


@pytest.mark.parametrize(
    ("source", "contact", "expected"),
    [
        ("Hi {{ contact.city }}", {"city": "上海"}, "Hi 上海"),
        ("{{ contact.city or '这里' }}", {}, "这里"),
        ("{{ contact.city or '这里' }}", {"city": " \u200b "}, "这里"),
        ("{{ contact.city|default('x') }}", {}, "x"),
        ("{{ contact.city|upper|default('x') }}", {}, "x"),
        ("{{ contact.city|upper|default('x') }}", {"city": "a"}, "A"),
        ("{{ contact.fields.points|default(5) }}", {"fields": {"points": 0}}, "0"),
        ("{{ contact.city if contact.city else 'x' }}", {}, "x"),
        ("{% if contact.city %}{{ contact.city }}{% else %}no{% endif %}", {}, "no"),
        ("{% if contact.city == '上海' %}a{% else %}b{% endif %}", {}, "b"),
        ("{% if contact.city != '上海' %}a{% else %}b{% endif %}", {}, "a"),
        ("{% if contact.fields.points < 5 %}a{% else %}b{% endif %}", {}, "b"),
        ("{% if contact.fields.points >= 5 %}a{% else %}b{% endif %}", {"fields": {"points": 7}}, "a"),
        ("{% if contact.city in ['上海', '北京'] %}a{% else %}b{% endif %}", {"city": "北京"}, "a"),
        ("{% if contact.city not in ['上海', '北京'] %}a{% else %}b{% endif %}", {}, "a"),
        ("{% if contact.sex == 1 %}a{% elif contact.sex == 2 %}b{% endif %}", {"sex": 2}, "b"),
        ("{% if not contact.city %}a{% endif %}", {}, "a"),
        ("{% if contact.city is none %}a{% endif %}", {}, "a"),
        (
            "{% if contact.city is defined and contact.city|length > 2 %}a{% else %}b{% endif %}",
            {"city": "哈尔滨"},
            "a",
        ),
        ("{% set who = contact.full_name or '朋友' %}{{ who }}、{{ who }}", {}, "朋友、朋友"),
        ("{{ contact.full_name|truncate(3) }}", {"full_name": "abcdef"}, "ab…"),
        ("{{ contact.fields.points|number }}", {"fields": {"points": 12345}}, "12,345"),
        ("a{# never shown #}b", {}, "ab"),
        ("a {{- contact.city -}} b", {"city": "x"}, "axb"),
        ("{ {{ contact.city }} }", {"city": "x"}, "{ x }"),
        ("{{ 'it\\'s \"so\"' }}", {}, 'it\'s "so"'),
    ],
)
def test_reads_as_meant(source: str, contact: dict[str, Any], expected: str) -> None:
    assert body(source, contact).strip() == expected


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("{{ contact.givenname }}", "unknown_field"),
        ("{{ contact.__class__.__mro__ }}", "unknown_field"),
        ("{{ contact._meta }}", "unknown_field"),
        ("{{ settings.SECRET_KEY }}", "unknown_field"),
        ("{{ contact }}", "unknown_field"),
        ("{{ _m }}", "unknown_field"),
        ("{{ range(9) }}", "call"),
        ("{{ debug() }}", "call"),
        ("{{ contact['city'] }}", "index"),
        ("{{ 'a'|ljust(200000000) }}", "unknown_filter"),
        ("{{ 'a'|safe }}", "unknown_filter"),
        ("{{ 'a' * 200000000 }}", "bad_character"),
        ("{{ 'a' ~ 'b' }}", "bad_character"),
        ("{% for a in [1, 2] %}{% endfor %}", "unknown_tag"),
        ("{% include '/etc/passwd' %}", "include"),
        ("{% include 'snippet:none' %}", "unknown_snippet"),
        ("{% macro x() %}{% endmacro %}", "unknown_tag"),
        ("{% debug %}", "unknown_tag"),
        ("{% load x %}", "unknown_tag"),
        ("{% raw %}{% endraw %}", "unknown_tag"),
        ("{% set contact = 'x' %}", "reserved"),
        ("{% set _l = 'x' %}", "reserved"),
        ("{{ contact.city", "unclosed"),
        ("{% if contact.city %}x", "unclosed_if"),
        ("x{% endif %}", "stray"),
        ("{% if contact.city %}{% else %}{% else %}{% endif %}", "stray"),
        ("{{ contact.city contact.region }}", "unexpected"),
        ("{{ }}", "incomplete"),
        ("{{ “北京” }}", "curly_quote"),
        ("{{ " + "(" * 40 + "1" + ")" * 40 + " }}", "too_deep"),
        ("{{ " + " or ".join(["contact.city"] * 4000) + " }}", "too_deep"),
        ("{{ " + " and ".join(["contact.city"] * 4000) + " }}", "too_deep"),
        ("{{ contact.city" + " | upper" * 4000 + " }}", "too_deep"),
        ("{{ contact.city" + " == 'x'" * 4000 + " }}", "too_deep"),
        ("{{ contact.city }}" * 2001, "too_many_tags"),
    ],
)
def test_refuses(source: str, code: str) -> None:
    assert problem(source)[2] == code


def test_names_the_place_in_what_the_author_wrote() -> None:
    assert problem("<p>一行\n  两行 {{ contact.nope }}</p>") == (2, 9, "unknown_field")


def test_suggests_the_field_that_was_meant() -> None:
    with pytest.raises(ContentProblem, match=r"contact\.given_name"):
        compiled("{{ contact.givenname }}")


def test_reports_everything_at_once() -> None:
    with pytest.raises(ContentProblem) as caught:
        compiled("{{ a.b }}\n<script>x</script>", subject="{{ c.d }}")
    assert [(found.part.value, found.line) for found in caught.value.problems] == [
        ("subject", 1),
        ("source", 1),
        ("source", 2),
    ]


@pytest.mark.parametrize("empty", [None, "", "   ", "\u200b", "\u3000", "\x00"])
def test_an_empty_value_without_fallback_stops_this_mail_and_names_the_field(empty: str | None) -> None:
    with pytest.raises(EmptyValue) as caught:
        rendered("<p>Dear {{ contact.given_name }},</p>", {"given_name": empty})
    assert caught.value.field == "contact.given_name"


def test_a_fallback_chosen_for_the_mail_is_read_instead() -> None:
    mail = rendered("<p>Dear {{ contact.given_name }},</p>", fallbacks={"contact.given_name": "朋友 <b>"})
    assert "Dear 朋友 &lt;b&gt;," in mail.html


def test_knows_which_fields_may_leave_a_gap() -> None:
    mail = compiled(
        "{{ contact.city }}{{ contact.region or '?' }}{% if contact.street %}{{ contact.street }}{% endif %}"
        "{% set n = contact.full_name %}{{ n }}{{ today.text }}",
    )
    assert mail.required == ("contact.city", "contact.full_name")
    assert mail.replaced == {"contact.region": "?"}
    assert "contact.street" in mail.variables


def test_snippets_are_put_in_and_their_faults_named() -> None:
    snippets = {
        "foot": "<i>{{ contact.city or 'x' }}</i>{% include 'snippet:inner' %}",
        "inner": "!",
        "bad": "\n{{ a.b }}",
    }
    assert "<i>x</i>!" in rendered("<p>{% include 'snippet:foot' %}</p>", snippets=snippets).html
    with pytest.raises(ContentProblem) as caught:
        compiled("<p>\n{% include 'snippet:bad' %}</p>", snippets=snippets)
    assert (caught.value.line, "bad" in caught.value.message) == (2, True)


def test_a_snippet_cannot_include_itself() -> None:
    snippets = {"a": "{% include 'snippet:b' %}", "b": "{% include 'snippet:a' %}"}
    assert problem("{% include 'snippet:a' %}", snippets=snippets)[2] == "snippet_cycle"


@pytest.mark.parametrize(
    "source",
    [
        "{{% raw %}",
        "{<!-- x -->{ debug() }}",
        "{{# x #}{ debug() }}",
        "&#123;&#123; debug() }}",
        "{{# x #}% if 1 %}",
        "{{{ contact.city }}}",
        "<a href='https://a.example/&#123;&#123;debug()}}{{ contact.city }}'>x</a>",
        "{\n{ debug() }}",
    ],
)
def test_no_arrangement_of_text_becomes_code(source: str) -> None:
    try:
        mail = rendered(source, {"city": "CITY"})
    except ContentProblem:
        return
    assert "State {" not in mail.html + mail.text


VALUES = st.text(min_size=1, max_size=60).filter(lambda text: bool(text.strip()))


@given(VALUES)
def test_a_value_is_never_evaluated(value: str) -> None:
    hostile = "{{ 7 }}{% if 1 %}" + value + "{# x #}"
    text = body("[{{ contact.city }}]", {"city": hostile})
    assert text.startswith("[{{ 7 }}{% if 1 %}")
    assert text.endswith("{# x #}]")


@given(st.text(alphabet="{}%#a '\"|.()[]_-<&;x\n", max_size=40))
def test_any_text_compiles_or_is_refused_with_a_place(text: str) -> None:
    try:
        mail = rendered(f"<p>{text}</p>", subject="s")
    except ContentProblem as refused:
        places = [(found.line, found.column) for found in refused.problems]
    except EmptyValue:
        return
    else:
        places = []
        assert "State {" not in mail.html
    assert all(line >= 1 and column >= 1 for line, column in places)
