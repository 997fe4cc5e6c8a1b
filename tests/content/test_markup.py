"""Escaping, safety, links and the parts of a mail."""

import html as entities
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.content.errors import BadLink, ContentProblem
from hongyan.content.markup.scan import tokens
from tests.content.factory import Links, compiled, in_mjml, prepared, rendered


class Reader(HTMLParser):
    """An independent reader: what a mail program makes of the HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def read(markup: str) -> Reader:
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


NASTY = st.text(
    alphabet=st.sampled_from(list("<>&\"'/=`{}%()\\; \n\tabc上é😀\u202e\u200b\x0b")), min_size=1, max_size=40
)


@given(NASTY)
def test_a_value_stays_text_wherever_it_stands(value: str) -> None:
    paragraph = '<p title="{{ contact.city }}">{{ contact.city }}</p>'
    source = f"<html><head><title>{{{{ contact.city }}}}</title></head><body>{paragraph}</body></html>"
    contact = {"city": "x" + value}
    reader = read(rendered(source, contact).html)
    assert [tag for tag, _ in reader.tags] == ["html", "head", "title", "body", "p", "img"]
    shown = reader.tags[4][1]["title"]
    assert shown is not None
    assert reader.words.startswith(shown)
    assert not any(ord(character) < 32 or character == "\u202e" for character in shown)


@given(NASTY)
def test_a_value_in_an_address_cannot_leave_its_parameter(value: str) -> None:
    source = '<a href="https://shop.example/s?q={{ contact.city }}&amp;z=1">x</a>'
    url = read(rendered(source, {"city": "x" + value}, tracked=False).html).tags[0][1]["href"]
    assert url is not None
    assert url.startswith("https://shop.example/s?q=x")
    assert url.endswith("&z=1")
    assert url.count("&") == 1
    assert url.isascii()


@pytest.mark.parametrize(
    "value", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "x", "https://", "https://a@b"]
)
def test_a_field_used_as_address_must_be_one(value: str) -> None:
    with pytest.raises(BadLink):
        rendered('<a href="{{ contact.fields.site }}">x</a>', {"fields": {"site": value}})


def test_a_field_used_as_address_is_signed() -> None:
    mail = rendered('<a href="{{ contact.fields.site }}">x</a>', {"fields": {"site": "https://a.example/?b=1&c"}})
    assert 'href="https://m.example/d/TOKEN?https~a.example/?b=1&amp;c"' in mail.html


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("<script>x</script>", "active_content"),
        ("<SCRIPT src=x>", "active_content"),
        ("<p onclick=x>", "event_handler"),
        ("<img src=x OnError =x>", "event_handler"),
        ("<img/onerror=x>", "event_handler"),
        ('<a href="java\tscript:x">', "link_scheme"),
        ('<a href="&#106;avascript:x">', "link_scheme"),
        ('<a href=" javascript:x">', "link_scheme"),
        ('<a href="data:text/html,x">', "link_scheme"),
        ('<a href="vbscript:x">', "link_scheme"),
        ('<img src="file:///etc/passwd">', "link_scheme"),
        ('<a href="https://user:pw@host.example/">', "bad_address"),
        ("<base href=x>", "active_content"),
        ('<meta http-equiv="refresh" content="0">', "meta_refresh"),
        ("<form action=x>", "form"),
        ("<iframe src=x></iframe>", "active_content"),
        ("<svg><script>x</script></svg>", "active_content"),
        ("<math>", "active_content"),
        ("<noscript><p title='</noscript><img src=x onerror=x>'></noscript>", "element"),
        ("<!--[if mso]><script>x</script><![endif]-->", "active_content"),
        ("<!--><script>x</script>-->", "active_content"),
        ("<style>p{width:expression(x)}</style>", "active_content"),
        ("<style>@\\69mport url(x)</style>", "external_css"),
        ('<p style="behavior: url(x)">', "active_content"),
        ("<blink>x</blink>", "element"),
        ("<p {{ contact.city }}>", "field_in_tag"),
        ("<p title={{ contact.city }}>", "field_in_tag"),
        ('<p style="color:{{ contact.city }}">', "field_in_style"),
        ("<style>p{color:{{ contact.city }}}</style>", "field_in_style"),
        ("<p title='x", "unclosed_markup"),
        ("  ", "empty_mail"),
        ("x" * 600_000, "too_long"),
    ],
)
def test_refuses(source: str, code: str) -> None:
    with pytest.raises(ContentProblem) as caught:
        compiled(source)
    assert code in {found.code for found in caught.value.problems}


def test_markup_of_outlook_goes_out_as_written() -> None:
    source = (
        "<html><head><!--[if gte mso 9]><xml><o:OfficeDocumentSettings><o:AllowPNG/></o:OfficeDocumentSettings></xml>"
        "<![endif]--><style>.a > b { mso-line-height-rule: exactly; }</style></head><body><!--[if !mso]><!--><p>x</p>"
        "<!--<![endif]--><![if !mso]><p>y</p><![endif]><TABLE border=0><td>z</TABLE></body></html>"
    )
    assert rendered(source, tracked=False).html == source


@given(st.text(alphabet=st.sampled_from(list("<>/!-[]ab='\" \n")), max_size=80))
def test_cutting_loses_nothing(markup: str) -> None:
    cut = list(tokens(markup))
    assert "".join(markup[token.start : token.end] for token in cut) == markup


def test_links_are_numbered_once_with_campaign_parameters() -> None:
    mail = compiled(
        '<a href="https://shop.example/?a=1#top">新品 <b>到店</b></a><a href="https://other.example/?utm_source=x">o</a>'
        '<!--[if mso]><v:rect href="https://shop.example/?a=1#top"></v:rect><![endif]-->',
        utm_campaign="秋",
    )
    assert [link.url for link in mail.links] == [
        "https://shop.example/?a=1&utm_source=hongyan&utm_medium=email&utm_campaign=%E7%A7%8B#top",
        "https://other.example/?utm_source=x",
    ]
    assert mail.links[0].label == "新品 到店"
    assert prepared(mail).render({}, Links()).html.count("https://m.example/c/TOKEN/0") == 2


def test_own_links_are_never_wrapped_and_without_consent_nothing_is() -> None:
    source = '<a href="https://a.example/">a</a><a href="{{ unsubscribe_url }}">u</a>'
    tracked, plain = rendered(source), rendered(source, tracked=False)
    assert 'href="https://m.example/u/TOKEN"' in tracked.html
    assert 'href="https://m.example/u/TOKEN"' in plain.html
    assert "TOKEN/0" not in plain.html + plain.text
    assert "/o/TOKEN" not in plain.html
    assert 'href="https://a.example/?utm_source=hongyan&amp;utm_medium=email"' in plain.html


def test_the_pixel_is_the_last_thing_in_the_body() -> None:
    body = rendered("<html><body><p>x</p></body></html>").html
    assert body.index("/o/TOKEN") > body.index("<p>x</p>")
    assert body.split("/o/TOKEN")[1].split(">", 1)[1] == "</body></html>"


def test_the_text_part_says_everything_and_has_every_link() -> None:
    source = in_mjml('你好 {{ contact.city }} &amp; co<br>第二行 <a href="https://a.example/x">看看</a>').replace(
        "</mj-column>",
        '<mj-image src="https://a.example/i.png" alt="图 &lt;1&gt;" /><mj-text><a href="{{ unsubscribe_url }}">退订</a>'
        "</mj-text></mj-column>",
    )
    text = rendered(source, {"city": "<上海>"}, "mjml").text
    assert "你好 <上海> & co\n第二行 看看 <https://m.example/c/TOKEN/0>" in text
    assert "图 <1>" in text
    assert "退订 <https://m.example/u/TOKEN>" in text


def test_a_text_only_mail_has_links_too() -> None:
    mail = rendered("见 https://a.example/x?y=1。再见 {{ unsubscribe_url }}", kind="text")
    assert mail.html == ""
    assert mail.text == "见 https://m.example/c/TOKEN/0。再见 https://m.example/u/TOKEN"


def test_the_preheader_is_hidden_at_the_top() -> None:
    mail = rendered("<html><body><p>x</p></body></html>", {"city": "<b>"}, preheader="在 {{ contact.city }} & 附近")
    start = mail.html.index("<body>") + 6
    assert mail.html[start:].startswith('<div style="display:none')
    assert "在 &lt;b&gt; &amp; 附近" in mail.html
    assert "附近" not in mail.text


def test_the_subject_is_one_clean_line() -> None:
    mail = rendered("<p>x</p>", {"city": "a\r\nBcc: x\x0b\u202eb"}, subject="给 {{ contact.city }} 的信")
    assert mail.subject == "给 a Bcc: x b 的信"


@pytest.mark.parametrize("subject", ["a\nb", "a\x0bb", "x" * 500])
def test_a_subject_must_be_one_line(subject: str) -> None:
    with pytest.raises(ContentProblem):
        compiled("<p>x</p>", subject=subject)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("hello", "mjml_root"),
        ("<mjml>", "unclosed_markup"),
        ("<mjml><mj-body><mj-section></mj-body></mjml>", "mjml_nesting"),
        ("<mjml><mj-body><mj-sektion></mj-sektion></mj-body></mjml>", "mjml_element"),
        ("<mjml><mj-body><mj-section>x</mj-section></mj-body></mjml>", "mjml_place"),
        ("<mjml><mj-body><p>x</p></mj-body></mjml>", "mjml_place"),
        ('<mjml><mj-body><mj-include path="/etc/passwd" /></mj-body></mjml>', "mj_include"),
        (in_mjml("x").replace("<mj-text>", '<mj-text color="{{ contact.city }}">'), "field_in_style"),
        (in_mjml("<script>x</script>"), "active_content"),
    ],
)
def test_mjml_refuses(source: str, code: str) -> None:
    with pytest.raises(ContentProblem) as caught:
        compiled(source, "mjml")
    assert code in {found.code for found in caught.value.problems}


def test_tags_between_mjml_sections_work() -> None:
    source = in_mjml("A").replace("<mj-section>", "{% if contact.city %}<mj-section>")
    source = source.replace("</mj-section>", "</mj-section>{% endif %}")
    source = source.replace(
        "</mj-body>", "<mj-section><mj-column><mj-text>B</mj-text></mj-column></mj-section></mj-body>"
    )
    assert ">A<" not in rendered(source, {}, "mjml").html
    assert ">A<" in rendered(source, {"city": "x"}, "mjml").html
    assert ">B<" in rendered(source, {}, "mjml").html


@given(st.text(alphabet=st.sampled_from(list("ab👨\u200d👩\u3000\\'❤\ufe0f“é")), max_size=20))
def test_alternative_texts_survive_mjml(alt: str) -> None:
    source = in_mjml("x").replace("</mj-column>", f'<mj-image src="https://a.example/i.png" alt="{alt}" /></mj-column>')
    images = [attributes for tag, attributes in read(rendered(source, {}, "mjml").html).tags if tag == "img"]
    assert images[0]["alt"] == alt


def test_equal_drafts_compile_to_equal_mails() -> None:
    source = in_mjml("{{ contact.city or 'x' }}")
    assert compiled(source, "mjml") == compiled(source, "mjml")


def test_entities_cannot_forge_a_mark() -> None:
    source: Any = "<p>&#10647;0&#10648; {{ contact.city }}</p>"
    text = rendered(source, {"city": "CITY"}).text
    assert text.count("CITY") == 1
    assert entities.unescape("&#10647;") not in text
