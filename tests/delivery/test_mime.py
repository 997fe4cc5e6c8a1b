"""Messages are read back by parsers that are not ours, and every physical line is looked at."""

import email
import email.message
import email.policy
import json
import re
import subprocess
from datetime import UTC, datetime
from email.headerregistry import Address as RegistryAddress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hongyan.core.text import crlf
from hongyan.delivery.errors import HeaderRefused
from hongyan.delivery.mime.address import AddressRefused, parse_address
from hongyan.delivery.mime.gate import clean_text
from hongyan.delivery.mime.headers import literal_header, text_header
from hongyan.delivery.mime.message import Built, build, make_frame
from hongyan.delivery.transports.wire import END_OF_DATA, body_of

AT = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
URL = "https://mail.example.com/u/" + "A" * 120
ANY_TEXT = st.text(max_size=300)
HEADER_LINE = re.compile(rb"(?:[!-9;-~]+:| |\t)[\x20-\x7e\t]*\Z")


def message(
    *,
    subject: str = "Hello",
    html: str | None = "<p>Hi</p>",
    text: str = "Hi",
    name: str = "鸿雁",
    to: str = "a@b.test",
) -> Built:
    frame = make_frame(
        from_name=name,
        from_address="shop@mail.example.com",
        reply_to="reply@example.com",
        marketing=True,
        list_id="topic-3.mail.example.com",
        feedback_id="campaign12:v3:marketing:hy000001",
    )
    return build(
        frame,
        to=parse_address(to),
        subject=subject,
        html=crlf(html.encode()) if html else None,
        text=crlf(text.encode()),
        message_id="AbC-_1@mail.example.com",
        at=AT,
        unsubscribe_url=URL,
    )


def parsed(raw: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.SMTP)


def header_lines(raw: bytes) -> list[bytes]:
    return raw.split(b"\r\n\r\n", 1)[0].split(b"\r\n")


@settings(max_examples=150)
@given(subject=ANY_TEXT, name=ANY_TEXT, html=ANY_TEXT, text=ANY_TEXT)
@example(subject="a\x0bBcc: x@y.test", name="n\x0c", html="\x00", text="\x85")
@example(subject="\r\nBcc: x", name="\u2028X: y", html="", text="")
@example(subject="=?utf-8?q?fake?=", name='"x" <y@z>', html="a\rb\nc\r\nd", text=".")
@example(subject="😀" * 200, name="😀" * 100, html="x", text="x")
def test_any_text_makes_a_sound_message(subject: str, name: str, html: str, text: str) -> None:
    raw = message(subject=subject, name=name, html=html or None, text=text).raw
    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")
    assert body_of(raw) == raw + END_OF_DATA  # nothing to stuff, nothing to mend: it may go out as it is
    for line in header_lines(raw):
        assert HEADER_LINE.match(line)
        assert len(line) <= 998
    assert all(len(line) <= 76 for line in raw.split(b"\r\n\r\n", 1)[1].split(b"\r\n"))
    read = parsed(raw)
    assert not read.defects
    assert not any(part.defects for part in read.walk())
    assert str(read["Subject"]) == clean_text(subject)
    for header in ("From", "To", "Date", "Message-ID", "Subject", "MIME-Version", "List-Unsubscribe", "Reply-To"):
        assert len(read.get_all(header) or []) == 1, header
    assert set(read.keys()) <= {
        "From", "Reply-To", "List-ID", "Feedback-ID", "Precedence", "MIME-Version", "Date", "Message-ID", "To",
        "Subject", "List-Unsubscribe", "List-Unsubscribe-Post", "Content-Type", "Content-Transfer-Encoding",
    }  # fmt: skip
    addresses: tuple[RegistryAddress, ...] = read["From"].addresses
    assert [address.addr_spec for address in addresses] == ["shop@mail.example.com"]
    # The standard library keeps the blank between two encoded-words of a phrase (RFC 2047 §6.2 says to drop it).
    assert "".join(addresses[0].display_name.split()) == "".join(clean_text(name).split())


@given(value=st.text(min_size=1, max_size=400))
def test_encoded_words_are_whole_and_short(value: str) -> None:
    field = text_header("Subject", value)
    assert field.endswith("\r\n")
    lines = field[:-2].split("\r\n")
    assert lines[0].startswith("Subject:")
    assert lines[0].strip() != "Subject:" or not clean_text(value)
    for line in lines:
        assert len(line) <= 76
        for word in re.findall(r"=\?utf-8\?b\?[^?]*\?=", line):
            assert len(word) <= 75
            encoded = word[len("=?utf-8?b?") : -2]
            __import__("base64").b64decode(encoded).decode()  # whole characters, or this raises


def test_every_control_character_is_kept_out_of_headers() -> None:
    for number in [*range(0x20), 0x7F, *range(0x80, 0xA0), 0x2028, 0x2029]:
        raw = message(subject=f"a{chr(number)}Bcc: x@y.test", name=f"n{chr(number)}m").raw
        read = parsed(raw)
        assert read["Bcc"] is None
        assert str(read["Subject"]) == "a Bcc: x@y.test"
        assert parsed(raw).get_body(("plain",)) is not None
        with pytest.raises(HeaderRefused):
            literal_header("X-Note", f"a{chr(number)}b")


def test_bidi_and_hidden_characters_are_taken_out_but_emoji_stay_whole() -> None:
    assert clean_text("evil\u202egpj.exe") == "evilgpj.exe"
    assert clean_text("a\u200bb\ufeff") == "ab"
    family = "👨\u200d👩\u200d👧"
    assert str(parsed(message(subject=family).raw)["Subject"]) == family


def test_list_unsubscribe_is_literal_and_one_click() -> None:
    raw = message().raw
    assert f"List-Unsubscribe: <{URL}>\r\n".encode() in raw
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    assert str(parsed(raw)["List-Unsubscribe"]) == f"<{URL}>"


def test_bodies_come_back_as_they_were() -> None:
    html, text = "<p>你好 · Hello</p>\n" * 300, "你好\n.\n..dots\nFrom here"
    read = parsed(message(html=html, text=text).raw)
    assert read.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]
    bodies = {part.get_content_type(): part.get_content().replace("\r\n", "\n") for part in read.iter_parts()}
    assert bodies == {"text/plain": text, "text/html": html}


def test_transactional_mail_says_so_and_offers_no_unsubscribe() -> None:
    frame = make_frame(
        from_name="H", from_address="a@b.test", reply_to="", marketing=False, list_id="x.test", feedback_id=None
    )
    raw = build(
        frame, to=parse_address("c@d.test"), subject="s", html=None, text=b"t", message_id="i@b.test", at=AT,
        unsubscribe_url=None,
    ).raw  # fmt: skip
    read = parsed(raw)
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["List-Unsubscribe"] is None
    assert read["List-ID"] is None
    assert read["Precedence"] is None
    assert read.get_content_type() == "text/plain"


def test_equal_inputs_make_equal_bytes() -> None:
    assert message().sha256 == message().sha256
    assert message().sha256 != message(text="other").sha256


def test_a_second_parser_agrees() -> None:
    """Perl's own MIME decoder and a plain header splitter, sharing nothing with Python's."""
    subject = "张三,您的九月专享:全场八折,还有更多更多更多更多好礼等您来拿 & more"
    script = r"""
use strict; use JSON::PP; use MIME::Base64; use Encode;
local $/; my $raw = <STDIN>; my ($head, $body) = split /\r\n\r\n/, $raw, 2;
$head =~ s/\r\n[ \t]+/ /g; my %h; for (split /\r\n/, $head) { my ($k, $v) = /^([^:]+):\s*(.*)$/ or die; $h{lc $k} = $v }
my ($b) = $h{'content-type'} =~ /boundary="([^"]+)"/; my @p = split /\r?\n?--\Q$b\E(?:--)?\r\n/, "\r\n$body";
my %parts; for (@p[1..2]) { my ($ph, $pb) = split /\r\n\r\n/, $_, 2; my ($t) = $ph =~ /^Content-Type: ([^;]+)/i;
$parts{$t} = decode('UTF-8', decode_base64($pb)) }
print encode_json({subject => decode('MIME-Header', $h{subject}), from => decode('MIME-Header', $h{from}),
unsub => $h{'list-unsubscribe'}, parts => \%parts});
"""
    raw = message(subject=subject, html="<p>你好</p>", text="你好").raw
    done = subprocess.run(["perl", "-e", script], input=raw, capture_output=True, check=True)
    found = json.loads(done.stdout)
    assert found["subject"] == subject
    assert found["from"] == "鸿雁 <shop@mail.example.com>"
    assert found["unsub"] == f"<{URL}>"
    assert found["parts"] == {"text/plain": "你好", "text/html": "<p>你好</p>"}


GOOD = {
    "a@b.test": "a@b.test",
    "o'neil+tag@Example.COM": "o'neil+tag@example.com",
    "user@例子.测试": "user@xn--fsqu00a.xn--0zwm56d",
    "用户@例子.中国": "用户@xn--fsqu00a.xn--fiqs8s",
}
BAD = [
    "", "a", "a@", "@b.test", "a@b@c.test", "a..b@x.test", ".a@x.test", "a.@x.test", "a@x.test,b@y.test", "a b@x.test",
    "a@localhost", "a@[1.2.3.4]", '"<script>"@x.test', "a" * 65 + "@x.test", "a@" + "b" * 64 + ".test", "a@x.test\r\n",
    "a\x00@x.test", "a@" + "b." * 130 + "test", "a@x..test", "a@-x.test", "a\u202eb@x.test", "用\u3000户@x.test",
    "a@1.2", "a@xn--a.test", "\ud800@x.test", "..@x.test", "用..户@x.test", ">a@x.test", "a@x.test>",
]  # fmt: skip


@pytest.mark.parametrize(("given_text", "wire"), GOOD.items())
def test_good_addresses(given_text: str, wire: str) -> None:
    address = parse_address(given_text)
    assert address.as_text == wire
    assert address.needs_smtputf8 == (not address.local.isascii())


@pytest.mark.parametrize("text", BAD)
def test_bad_addresses(text: str) -> None:
    with pytest.raises(AddressRefused):
        parse_address(text)


@given(text=st.text(max_size=80))
def test_no_address_breaks_a_command(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressRefused:
        return
    assert not set(address.as_text) & set('\r\n\x00<> ,;:"()[]\\')
    assert address.as_text.count("@") == 1
