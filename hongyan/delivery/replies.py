"""What an SMTP reply means and what to do about it.

First rule: only 5.1.x and 5.2.1 given to RCPT speak about the recipient; any other 5xx speaks about us or the content.
The table is read top to bottom, the first row that fits decides. Pure.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from hongyan.delivery.transports.smtp import Stage
from hongyan.delivery.transports.wire import Reply
from hongyan.delivery.types import Reason


class Action(StrEnum):
    RETRY = "retry"  # later, with back-off, until the time to live ends
    THROTTLE = "throttle"  # as retry, and hold the recipient's domain back
    BOUNCE = "bounce"  # final and about the recipient: suppress the address
    SOFT_BOUNCE = "soft_bounce"  # final for this mail, not yet a reason to suppress
    FAIL = "fail"  # final and our fault or the content's: the recipient is untouched


@dataclass(frozen=True, slots=True)
class Verdict:
    action: Action
    reason: Reason
    retries: int | None = None  # how often at most, when less than the time to live allows


@dataclass(frozen=True, slots=True)
class _Rule:
    verdict: Verdict
    code: str = ""  # pattern on the reply code
    enhanced: str = ""
    text: str = ""
    stages: frozenset[Stage] = frozenset(Stage)


_RCPT = frozenset({Stage.RCPT})
_BODY = frozenset({Stage.DATA, Stage.DOT})


def _v(action: Action, reason: Reason, retries: int | None = None) -> Verdict:
    return Verdict(action, reason, retries)


_RULES: tuple[_Rule, ...] = (
    # QQ: "Mailbox unavailable or access denied" looks like an unknown user and means: this person got too much.
    _Rule(_v(Action.RETRY, Reason.RECIPIENT_FLOODED), "550", text=r"mailbox unavailable or access denied"),
    _Rule(_v(Action.THROTTLE, Reason.THROTTLED), text=r"(domain|sender|connection) frequency limited"),
    # NetEase
    _Rule(_v(Action.THROTTLE, Reason.THROTTLED), text=r"\b(HL:(REP|ICC|IFC|MEP)|MI:(DMC|SFQ|CEL)|RP:(DRC|CEL)|CCL)\b"),
    _Rule(_v(Action.RETRY, Reason.CONTENT_REFUSED, 1), "451", text=r"\bDT:SPM\b"),
    _Rule(_v(Action.FAIL, Reason.CONTENT_REFUSED), "5..", text=r"\bDT:SPM\b"),
    _Rule(_v(Action.THROTTLE, Reason.IP_BLOCKED), text=r"\b(DT:RBL|WM:BLI)\b"),
    # Our own standing: authentication, reverse name, TLS, block lists. Never the recipient's fault.
    _Rule(_v(Action.THROTTLE, Reason.SENDER_FAULT), "4..", r"4\.7\.(23|24|25|26|27|29|30|31|32)"),
    _Rule(_v(Action.FAIL, Reason.SENDER_FAULT), "5..", r"5\.7\.(20|21|22|23|24|25|26|27|29|30|31|32|509|515)"),
    _Rule(_v(Action.FAIL, Reason.SENDER_FAULT), "5..", text=r"\b(spf|dkim|dmarc)\b.*\b(fail|not pass|require|reject)"),
    _Rule(
        _v(Action.FAIL, Reason.IP_BLOCKED),
        "5..",
        text=r"spamhaus|spamcop|barracuda|\brbl\b|\bdnsbl\b|block ?list|blacklist",
    ),
    # The message itself
    _Rule(_v(Action.FAIL, Reason.MESSAGE_FAULT), "5..", r"5\.3\.4|5\.6\.\d+|5\.2\.3"),
    _Rule(_v(Action.FAIL, Reason.MESSAGE_FAULT), "552", stages=_BODY, text=r"size|too (big|large)"),
    # Rates
    _Rule(_v(Action.RETRY, Reason.GREYLISTED), "45.", text=r"gr[ea]y-?list"),
    _Rule(_v(Action.THROTTLE, Reason.THROTTLED), "4..", r"4\.7\.(0|1|28)|4\.2\.1"),
    _Rule(_v(Action.THROTTLE, Reason.THROTTLED), "421"),
    # The recipient
    _Rule(_v(Action.RETRY, Reason.MAILBOX_FULL), "452", r"4\.2\.2|"),
    _Rule(_v(Action.RETRY, Reason.MAILBOX_FULL), "4..", r"4\.2\.2"),
    _Rule(_v(Action.SOFT_BOUNCE, Reason.MAILBOX_FULL), "5..", r"5\.2\.2"),
    _Rule(_v(Action.BOUNCE, Reason.NULL_MX), "5..", r"5\.1\.10", stages=_RCPT),
    _Rule(_v(Action.BOUNCE, Reason.UNKNOWN_RECIPIENT), "5..", r"5\.1\.(1|2|3|6)", stages=_RCPT),
    _Rule(_v(Action.SOFT_BOUNCE, Reason.DISABLED_RECIPIENT), "5..", r"5\.2\.1", stages=_RCPT),
    _Rule(
        _v(Action.BOUNCE, Reason.UNKNOWN_RECIPIENT),
        "55[0-3]",
        r"5\.0\.0|",
        r"user unknown|unknown user|no such (user|mailbox|recipient)|recipient not found|user not found"
        r"|does ?n[o']t (exist|have (an? )?account)|mailbox not found|invalid (recipient|mailbox)"
        r"|用户不存在|收件人不存在",
        _RCPT,
    ),
    # Content and policy
    _Rule(_v(Action.FAIL, Reason.CONTENT_REFUSED), "5..", r"5\.7\.\d+"),
    _Rule(_v(Action.FAIL, Reason.CONTENT_REFUSED), "5..", text=r"\bspam\b|virus|content|policy|垃圾邮件", stages=_BODY),
    _Rule(_v(Action.RETRY, Reason.TEMPORARY), "4.."),
    # A bare 5xx in words we do not know: tried twice more, then shown to people instead of guessed at.
    _Rule(_v(Action.RETRY, Reason.UNKNOWN_REPLY, 2), "5..", stages=_RCPT),
    _Rule(_v(Action.FAIL, Reason.UNKNOWN_REPLY), ""),
)


@dataclass(frozen=True, slots=True)
class _Compiled:
    verdict: Verdict
    code: re.Pattern[str]
    enhanced: re.Pattern[str] | None
    text: re.Pattern[str] | None
    stages: frozenset[Stage]


_TABLE = tuple(
    _Compiled(
        rule.verdict,
        re.compile(rule.code or "..."),
        re.compile(rule.enhanced) if rule.enhanced else None,
        re.compile(rule.text, re.IGNORECASE) if rule.text else None,
        rule.stages,
    )
    for rule in _RULES
)


def classify(reply: Reply, stage: Stage) -> Verdict:
    """The verdict on a refusal (4xx, 5xx, or a positive code where another was needed).

    >>> classify(Reply(550, "5.1.1", "user unknown"), Stage.RCPT).action.value
    'bounce'
    >>> classify(Reply(550, "5.1.1", "user unknown"), Stage.DOT).action.value
    'fail'
    """
    code = str(reply.code)
    for rule in _TABLE:
        if stage not in rule.stages or not rule.code.fullmatch(code):
            continue
        if rule.enhanced is not None and not rule.enhanced.fullmatch(reply.enhanced):
            continue
        if rule.text is not None and not rule.text.search(reply.text):
            continue
        return rule.verdict
    return Verdict(Action.FAIL, Reason.UNKNOWN_REPLY)


_ADDRESS = re.compile(r"<?[^\s<>@\"']{1,64}@[^\s<>@\"',;:()]{1,253}>?")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


def safe_text(text: str, recipient: str) -> str:
    """A reply for the log: one line, at most 300 characters, without addresses and without the recipient's name."""
    text = _ADDRESS.sub("<…>", _CONTROLS.sub(" ", text))
    local = recipient.rpartition("@")[0]
    if len(local) > 2:
        text = re.sub(re.escape(local), "…", text, flags=re.IGNORECASE)
    return text.strip()[:300]
