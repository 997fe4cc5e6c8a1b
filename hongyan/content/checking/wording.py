"""Subject, preheader and words."""

import re
import unicodedata
from collections.abc import Iterator

from django.utils.translation import gettext as _

from hongyan.content.checking.mail import CheckedMail
from hongyan.content.types import Finding, Level

# Phones show about this much of a subject; a Han character is two columns wide.
SUBJECT_COLUMNS = 60
_FAKE_REPLY = re.compile(r"^\s*(re|fw|fwd|aw|回复|答复|转发)\s*[:：]", re.IGNORECASE)
_BIDI = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_INVISIBLE = re.compile("[\u200b\u2060\ufeff\u00ad]")
_PLACEHOLDERS = (
    re.compile(r"\[\[[^\]\n]{1,40}\]\]"),
    re.compile(
        r"[\[【〔]\s*(?:姓名|名字|昵称|称呼|公司|公司名称|日期|链接|城市|产品|产品名称|优惠码|XX+|xx+)\s*[\]】〕]"
    ),
    re.compile(
        r"\[\s*(?:(?:first|last|full|your|company|customer)[ _]?name|name|date|link|insert [^\]]{1,40})\s*\]",
        re.IGNORECASE,
    ),
    re.compile(r"\*\|[A-Z0-9_:]{1,40}\|\*"),  # Mailchimp
    re.compile(r"%%[A-Za-z_]{2,40}%%|%(?:FIRSTNAME|LASTNAME|NAME|EMAIL)%"),
    re.compile(r"\$\{[A-Za-z_.]{1,40}\}|\{(?:name|first_name|firstname|姓名|email)\}", re.IGNORECASE),
    re.compile(r"lorem ipsum", re.IGNORECASE),
)
# Few, plain, and only a hint: filters weigh far more than words.
SPAM_WORDS = (
    "免费领取", "点击领取", "中奖", "稳赚", "包赚", "日赚", "代开发票", "发票代开",
    "贷款", "秒到账", "最后一天", "不看后悔",
    "act now", "100% free", "risk-free", "risk free", "make money", "earn cash", "no obligation", "winner",
    "congratulations!", "cash bonus", "double your", "viagra", "miracle", "click here now", "limited time only",
)  # fmt: skip


def subject(mail: CheckedMail) -> Iterator[Finding]:
    text, written = mail.subject, mail.version.subject
    if not written.strip():
        yield Finding(Level.ERROR, "subject_empty", "subject", _("The subject is empty."))
        return
    if text and not any(unicodedata.category(character)[0] in "LN" for character in text) and "{{" not in written:
        yield Finding(Level.WARNING, "subject_no_words", "subject", _("The subject has no words, only signs."))
    if columns(text) > SUBJECT_COLUMNS:
        message = _(
            "Phones cut this subject: about %(limit)d columns fit (a Chinese character takes two), it has %(have)d."
        )
        values = {"limit": SUBJECT_COLUMNS, "have": columns(text)}
        yield Finding(Level.WARNING, "subject_long", "subject", message % values)
    if _FAKE_REPLY.match(text):
        message = _("The subject pretends to be a reply or a forwarded mail, which several laws call deception.")
        yield Finding(Level.ERROR, "subject_fake_reply", "subject", message)
    if _BIDI.search(written) or _INVISIBLE.search(written):
        message = _("The subject has invisible characters, which filters take for deception.")
        yield Finding(Level.ERROR, "subject_invisible", "subject", message)
    if re.search(r"[!！]{2,}|[?？]{3,}|￥{2,}|\${2,}", text) or _shouts(text):
        yield Finding(
            Level.NOTE, "subject_loud", "subject", _("Capitals and repeated signs make a subject look like spam.")
        )


def preheader(mail: CheckedMail) -> Iterator[Finding]:
    written = mail.version.preheader.strip()
    if mail.version.kind == "text":
        return
    if not written and "<mj-preview" not in mail.version.source:
        message = _("Without a preheader, inboxes show the first words of the body beside the subject.")
        yield Finding(Level.NOTE, "preheader_missing", "preheader", message)
    elif written and written == mail.version.subject.strip():
        yield Finding(Level.NOTE, "preheader_same", "preheader", _("The preheader only repeats the subject."))


def placeholders(mail: CheckedMail) -> Iterator[Finding]:
    """What somebody meant to fill in by hand. Readers must never see “尊敬的[姓名]”."""
    places = (
        ("subject", mail.version.subject),
        ("preheader", mail.version.preheader),
        ("text", mail.version.text_source),
    )
    for pattern in _PLACEHOLDERS:
        for place, written in places:
            for match in pattern.finditer(written):
                yield _placeholder(match.group(), place)
        for match in pattern.finditer(mail.visible_text or mail.version.source):
            yield _placeholder(match.group(), mail.line_of(match.group()))


def _placeholder(text: str, place: str) -> Finding:
    message = _("“%(text)s” looks like something still to be filled in.") % {"text": text[:60]}
    return Finding(Level.ERROR, "placeholder", place, message)


def spam_words(mail: CheckedMail) -> Iterator[Finding]:
    text = f"{mail.subject} {mail.version.preheader} {mail.visible_text or mail.version.source}".lower()
    found = [word for word in SPAM_WORDS if word in text]
    if found:
        message = _("Words that spam filters dislike: %(words)s.") % {"words": ", ".join(found[:8])}
        yield Finding(Level.NOTE, "spam_words", "", message)


def columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _shouts(text: str) -> bool:
    letters = [character for character in text if character.isascii() and character.isalpha()]
    return len(letters) >= 12 and sum(map(str.isupper, letters)) > 0.7 * len(letters)
