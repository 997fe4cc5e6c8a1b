"""All findings about a mail, worst first. They need no contact; empty values over an audience are ``preflight``'s."""

from collections.abc import Callable, Iterator

from hongyan.content.checking import duties, markup, wording
from hongyan.content.checking.mail import CheckedMail
from hongyan.content.models import ContentVersion
from hongyan.content.types import Finding, Level

CHECKS: tuple[Callable[[CheckedMail], Iterator[Finding]], ...] = (
    wording.subject,
    wording.placeholders,
    duties.unsubscribe,
    markup.links,
    markup.images,
    markup.size,
    duties.sender_address,
    duties.plain_text,
    markup.contrast,
    markup.styles,
    wording.preheader,
    wording.spam_words,
    markup.structure,
)
_WORST_FIRST = (Level.ERROR, Level.WARNING, Level.NOTE)


def checks(version: ContentVersion) -> list[Finding]:
    mail = CheckedMail(version)
    found = [finding for check in CHECKS for finding in check(mail)]
    return sorted(dict.fromkeys(found), key=lambda finding: _WORST_FIRST.index(finding.level))
