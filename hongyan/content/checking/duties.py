"""What law and mailbox providers ask of a commercial mail, and a plain-text part worth its name."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from hongyan.content.checking.mail import CheckedMail
from hongyan.content.types import Finding, Level, MailType


def unsubscribe(mail: CheckedMail) -> Iterator[Finding]:
    if not MailType(mail.version.mail_type).commercial:
        return
    for part, text in (("source", mail.version.compiled_html), ("text", mail.version.compiled_text)):
        if text and "unsubscribe_url" not in text and "preferences_url" not in text:
            place = "" if part == "source" or not mail.version.text_source else "text"
            name = _("HTML part") if part == "source" else _("plain-text part")
            message = _("No unsubscribe link in the %(part)s: put {{ unsubscribe_url }} into a link.") % {"part": name}
            yield Finding(Level.ERROR, "unsubscribe", place, message)


def sender_address(mail: CheckedMail) -> Iterator[Finding]:
    if MailType(mail.version.mail_type).commercial and "sender.address" not in mail.version.variables:
        message = _("No postal address of the sender ({{ sender.address }}), which law asks for in many countries.")
        yield Finding(Level.WARNING, "sender_address", "", message)


def plain_text(mail: CheckedMail) -> Iterator[Finding]:
    if mail.version.kind == "text" or not mail.version.text_source.strip():
        return
    if len(mail.version.text_source) < 0.2 * len(mail.visible_text):
        message = _(
            "The plain-text part says much less than the HTML: filters compare them. Leave it empty to have it made."
        )
        yield Finding(Level.WARNING, "text_short", "text", message)
    missing = [link for link in mail.version.links if f"_l[{link['index']}]" not in mail.version.compiled_text]
    if missing and len(missing) > len(mail.version.links) / 2:
        message = _("Most links of the HTML are missing in the plain-text part.")
        yield Finding(Level.WARNING, "text_links", "text", message)
