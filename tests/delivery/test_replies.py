"""The reply table of the mail conformance list, row by row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.delivery.replies import Action, classify, safe_text
from hongyan.delivery.transports.smtp import Stage
from hongyan.delivery.transports.wire import Reply, ReplyParser
from hongyan.delivery.types import Reason

R, D, M, DATA = Stage.RCPT, Stage.DOT, Stage.MAIL, Stage.DATA
CASES = [
    ("550 5.1.1 user unknown", R, Action.BOUNCE, Reason.UNKNOWN_RECIPIENT),
    ("551 5.1.6 has moved", R, Action.BOUNCE, Reason.UNKNOWN_RECIPIENT),
    ("550 5.2.1 disabled", R, Action.SOFT_BOUNCE, Reason.DISABLED_RECIPIENT),
    ("550 5.1.2 bad destination", R, Action.BOUNCE, Reason.UNKNOWN_RECIPIENT),
    ("556 5.1.10 null MX", R, Action.BOUNCE, Reason.NULL_MX),
    ("550 No such user here", R, Action.BOUNCE, Reason.UNKNOWN_RECIPIENT),
    ("452 4.2.2 over quota", R, Action.RETRY, Reason.MAILBOX_FULL),
    ("552 5.2.2 over quota", R, Action.SOFT_BOUNCE, Reason.MAILBOX_FULL),
    ("552 5.2.2 over quota", D, Action.SOFT_BOUNCE, Reason.MAILBOX_FULL),
    ("450 4.2.1 receiving mail too quickly", R, Action.THROTTLE, Reason.THROTTLED),
    ("421 4.7.0 try later", M, Action.THROTTLE, Reason.THROTTLED),
    ("421 4.7.28 unusual rate", D, Action.THROTTLE, Reason.THROTTLED),
    ("451 4.7.1 Greylisting in action", R, Action.RETRY, Reason.GREYLISTED),
    ("550 Mailbox unavailable or access denied", R, Action.RETRY, Reason.RECIPIENT_FLOODED),
    ("550 Domain frequency limited", M, Action.THROTTLE, Reason.THROTTLED),
    ("550 Sender frequency limited", D, Action.THROTTLE, Reason.THROTTLED),
    ("550 Connection frequency limited", M, Action.THROTTLE, Reason.THROTTLED),
    ("421 HL:REP 163 smtp", R, Action.THROTTLE, Reason.THROTTLED),
    ("421 HL:ICC 163 smtp", M, Action.THROTTLE, Reason.THROTTLED),
    ("450 MI:DMC 163 smtp", M, Action.THROTTLE, Reason.THROTTLED),
    ("450 RP:DRC 163 smtp", R, Action.THROTTLE, Reason.THROTTLED),
    ("451 MI:SFQ 163 smtp", M, Action.THROTTLE, Reason.THROTTLED),
    ("451 DT:SPM 163 smtp", D, Action.RETRY, Reason.CONTENT_REFUSED),
    ("554 DT:SPM 163 smtp", D, Action.FAIL, Reason.CONTENT_REFUSED),
    ("554 5.7.1 looks like spam", D, Action.FAIL, Reason.CONTENT_REFUSED),
    ("550 5.7.26 unauthenticated", D, Action.FAIL, Reason.SENDER_FAULT),
    ("421 4.7.26 unauthenticated", D, Action.THROTTLE, Reason.SENDER_FAULT),
    ("550 5.7.515 Access denied, sending domain does not meet the level", D, Action.FAIL, Reason.SENDER_FAULT),
    ("550 5.7.25 no PTR", M, Action.FAIL, Reason.SENDER_FAULT),
    ("554 5.7.1 blocked using Spamhaus", R, Action.FAIL, Reason.IP_BLOCKED),
    ("552 5.3.4 message too big", D, Action.FAIL, Reason.MESSAGE_FAULT),
    ("550 5.6.7 SMTPUTF8 needed", M, Action.FAIL, Reason.MESSAGE_FAULT),
    ("554 5.6.0 bad MIME", D, Action.FAIL, Reason.MESSAGE_FAULT),
    ("550 nein", R, Action.RETRY, Reason.UNKNOWN_REPLY),
    ("554 nein", D, Action.FAIL, Reason.UNKNOWN_REPLY),
    ("451 local error", D, Action.RETRY, Reason.TEMPORARY),
]


@pytest.mark.parametrize(("line", "stage", "action", "reason"), CASES)
def test_row_of_the_table(line: str, stage: Stage, action: Action, reason: Reason) -> None:
    (reply,) = ReplyParser().feed(line.encode() + b"\r\n")
    verdict = classify(reply, stage)
    assert (verdict.action, verdict.reason) == (action, reason)


@given(
    code=st.integers(400, 599),
    enhanced=st.sampled_from(["", "5.1.1", "5.1.2", "5.2.1", "5.7.1", "4.2.2", "5.0.0", "5.1.10", "5.1.6"]),
    text=st.sampled_from(["", "user unknown", "no such user", "spam", "quota", "mailbox not found"]),
    stage=st.sampled_from([Stage.CONNECT, Stage.MAIL, Stage.DATA, Stage.DOT]),
)
def test_only_rcpt_speaks_of_the_recipient(code: int, enhanced: str, text: str, stage: Stage) -> None:
    assert classify(Reply(code, enhanced, text), stage).action is not Action.BOUNCE


@given(
    code=st.integers(400, 499), enhanced=st.sampled_from(["", "4.2.2", "4.7.1", "4.1.1"]), stage=st.sampled_from(Stage)
)
def test_a_temporary_refusal_is_never_final(code: int, enhanced: str, stage: Stage) -> None:
    assert classify(Reply(code, enhanced, "user unknown"), stage).action in {Action.RETRY, Action.THROTTLE}


def test_the_log_never_shows_an_address() -> None:
    text = "550 <Zhang.San@example.com>: zhang.san is unknown\r\n\x1b[31m see http://x/ (other@y.test)"
    safe = safe_text(text, "zhang.san@example.com")
    assert "zhang" not in safe.lower()
    assert "@" not in safe
    assert safe.isprintable()
    assert len(safe_text("x" * 5000, "a@b.test")) == 300
