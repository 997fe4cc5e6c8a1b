import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.delivery.transports.wire import (
    MAX_LINE,
    Capabilities,
    ReplyGarbled,
    ReplyParser,
    body_of,
    mail_command,
    rcpt_command,
)

TEXT = st.text(alphabet=st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=60)


@given(
    replies=st.lists(st.tuples(st.integers(200, 599), st.lists(TEXT, min_size=1, max_size=4)), min_size=1, max_size=5),
    cuts=st.lists(st.integers(1, 40), max_size=30),
    end=st.sampled_from([b"\r\n", b"\n"]),
)
def test_replies_survive_any_cut(replies: list[tuple[int, list[str]]], cuts: list[int], end: bytes) -> None:
    stream = b""
    for code, lines in replies:
        for line in lines[:-1]:
            stream += f"{code}-{line}".encode() + end
        stream += f"{code} {lines[-1]}".encode() + end
    parser, found = ReplyParser(), []
    for size in [*cuts, len(stream)]:
        found.extend(parser.feed(stream[:size]))
        stream = stream[size:]
    assert [reply.code for reply in found] == [code for code, _ in replies]
    assert [len(reply.lines) for reply in found] == [len(lines) for _, lines in replies]


def test_enhanced_status_is_read_and_taken_out_of_the_text() -> None:
    (reply,) = ReplyParser().feed(b"550-5.1.1 No such\r\n550 5.1.1 user here\r\n")
    assert (reply.code, reply.enhanced, reply.text) == (550, "5.1.1", "No such user here")


def test_chinese_replies_are_read_in_either_encoding() -> None:
    for encoding in ("utf-8", "gb18030"):
        (reply,) = ReplyParser().feed("550 用户不存在\r\n".encode(encoding))
        assert reply.text == "用户不存在"


def test_a_middle_line_without_its_code_is_text() -> None:
    (reply,) = ReplyParser().feed(b"250-one\r\nrubbish\r\n250 two\r\n")
    assert reply.lines == ("one", "rubbish", "two")


@pytest.mark.parametrize(
    "noise", [b"HTTP/1.1 400 Bad Request\r\n", b"\r\n", b"\x00\x01\x02\n", b"999 what\r\n", b"2" * (MAX_LINE + 1)]
)
def test_what_is_not_smtp_is_refused(noise: bytes) -> None:
    with pytest.raises(ReplyGarbled):
        ReplyParser().feed(noise)


def test_a_reply_without_end_is_refused() -> None:
    with pytest.raises(ReplyGarbled):
        ReplyParser().feed(b"250-more\r\n" * 1000)


def test_capabilities_of_an_ehlo() -> None:
    lines = ["mx.example", "PIPELINING", "SIZE 10240000", "AUTH=PLAIN LOGIN", "starttls"]
    text = "".join(f"250-{line}\r\n" for line in lines) + "250 SMTPUTF8\r\n"
    (reply,) = ReplyParser().feed(text.encode())
    found = Capabilities.of(reply)
    assert found == Capabilities(
        pipelining=True,
        starttls=True,
        smtputf8=True,
        announces_size=True,
        size=10_240_000,
        auth=frozenset({"PLAIN", "LOGIN"}),
    )


def test_only_what_was_announced_is_asked_for() -> None:
    bare = mail_command("b@x.test", size=100, smtputf8=False, capabilities=Capabilities())
    full = mail_command("b@x.test", size=100, smtputf8=True, capabilities=Capabilities(announces_size=True))
    assert bare == b"MAIL FROM:<b@x.test>\r\n"
    assert full == b"MAIL FROM:<b@x.test> SIZE=100 SMTPUTF8\r\n"


@pytest.mark.parametrize("bad", ["a@x.test>\r\nRCPT TO:<b@y.test", "a@x.test\n", "a\x00@x.test"])
def test_a_command_is_one_line(bad: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        rcpt_command(bad)


@given(lines=st.lists(st.text(alphabet=".a 中", max_size=8), min_size=1, max_size=8))
def test_dot_stuffing_is_undone_by_the_receiver(lines: list[str]) -> None:
    raw = "".join(line + "\r\n" for line in lines).encode()
    body = body_of(raw)
    assert body.endswith(b"\r\n.\r\n") or body == b".\r\n"
    received = []
    for line in body[: -len(b".\r\n")].split(b"\r\n")[:-1]:
        assert line != b"."  # nothing ends the mail early
        received.append(line[1:] if line.startswith(b".") else line)
    assert b"".join(line + b"\r\n" for line in received) == raw


@pytest.mark.parametrize("raw", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\n\n.\r\nMAIL FROM:<x>\r\n"])
def test_bare_line_ends_never_leave(raw: bytes) -> None:
    with pytest.raises(ValueError, match="bare"):
        body_of(raw)
