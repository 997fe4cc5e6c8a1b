"""Pieces print what the engine prints of the whole."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.content.errors import RenderRefused
from hongyan.content.types import SourceKind
from hongyan.core.text import crlf
from tests.content.factory import SENDER, TODAY, Links, compiled, in_mjml, prepared

TAGS = [
    "{{ contact.full_name }}",
    "{{ contact.city | default('您的城市 & \"so\"') }}",
    "{{ contact.city or contact.country_name or '哪里' }}",
    "{{ contact.fields.level | default('普通') | upper }}",
    "{{ contact.fields.points }}",
    "{{ contact.full_name | truncate(3) }}",
    "{{- contact.city | default('x') -}}",
    "{% if contact.city == '上海' %}沪{% elif contact.fields.points > 3 %}<i>多</i>{% else %}别处{% endif %}",
    "{% if contact.fields.level %}{% if contact.city %}both{% endif %}{{ contact.fields.level }}{% endif %}",
    "{% set who = contact.full_name | default('朋友') %}{{ who }}",
    "{# nothing #}",
    "{{ sender.company }}",
    "{{ today.text }}, {{ today.year }}",
    '<a href="https://shop.example/a?b=1&c=2">一</a>',
    '<a href="{{ contact.fields.site | default("https://x.example/") }}">二</a>',
    '<a href="{{ view_url }}">三</a>',
    "<br>\n",
    "<p>{</p>",
    "\r\n",
]
VALUES = st.one_of(
    st.text(alphabet="王 a<>&\"'/{}%\n\u200b", max_size=6),
    st.integers(-5, 10**6),
    st.booleans(),
    st.none(),
    st.floats(0, 9),
)
PEOPLE = st.fixed_dictionaries(
    {},
    optional={
        "full_name": VALUES,
        "city": st.one_of(VALUES, st.just("上海")),
        "country_name": VALUES,
        "fields": st.fixed_dictionaries(
            {}, optional={"level": VALUES, "points": VALUES, "site": st.just("https://s.example/?q=<")}
        ),
    },
)


@given(
    tags=st.lists(st.sampled_from(TAGS), max_size=8), contact=PEOPLE, tracked=st.booleans(), rest=st.text(max_size=5)
)
def test_pieces_print_what_the_whole_prints(
    tags: list[str],
    contact: dict[str, Any],
    tracked: bool,  # noqa: FBT001
    rest: str,
) -> None:
    if "<" in rest or "{" in rest or "\x00" in rest:
        rest = ""
    source = f"<html><body><p>{rest.join(tags)}</p><a href='{{{{ unsubscribe_url }}}}'>x</a></body></html>"
    mail = prepared(compiled(source, subject="{{ contact.full_name | default('朋友') }} / 九月"))
    context = {"contact": contact, "sender": SENDER, "today": TODAY}
    links = Links(tracked=tracked)
    try:
        whole = mail.render(context, links)
    except RenderRefused as refusal:
        with pytest.raises(type(refusal), match=re.escape(str(refusal)) + r"\Z"):
            mail.render_bytes(context, links)
        return
    quick = mail.render_bytes(context, links)
    assert quick.subject == whole.subject
    assert quick.html == crlf(whole.html.encode())
    assert quick.text == crlf(whole.text.encode())


def test_an_ordinary_mail_is_cut() -> None:
    source = in_mjml("Dear {{ contact.full_name | default('friend') }}, <a href='https://shop.example/'>go</a>")
    mail = prepared(compiled(source, SourceKind.MJML))
    assert mail._pieces is not None
    assert not any(part is None or part.uses_engine for part in mail._pieces)
