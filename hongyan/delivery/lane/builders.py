"""Making one person's mail: render, then the bytes. Called in the event loop, just before a connection needs it."""

from typing import Any, NamedTuple

from hongyan.content.errors import RenderRefused
from hongyan.content.rendering import PreparedMail
from hongyan.core import clock
from hongyan.core.text import crlf
from hongyan.delivery.errors import HeaderRefused
from hongyan.delivery.lane.work import BuildRefused
from hongyan.delivery.links import MessageLinks
from hongyan.delivery.mime.address import Address
from hongyan.delivery.mime.message import Built, Frame, build
from hongyan.delivery.types import Reason


class Letter(NamedTuple):
    """What stands around the content."""

    frame: Frame
    to: Address
    message_id: str
    marketing: bool


def build_content(letter: Letter, mail: PreparedMail, context: dict[str, Any], links: MessageLinks) -> Built:
    """Raises BuildRefused."""
    try:
        rendered = mail.render_bytes(context, links)
    except RenderRefused as refusal:
        raise BuildRefused(refusal.code) from refusal
    return build(
        letter.frame,
        to=letter.to,
        subject=rendered.subject,
        html=rendered.html,
        text=rendered.text,
        message_id=letter.message_id,
        at=clock.now(),
        unsubscribe_url=links.unsubscribe_url() if letter.marketing else None,
    )


def build_direct(letter: Letter, mail: dict[str, Any]) -> Built:
    """Raises BuildRefused."""
    try:
        return build(
            letter.frame,
            to=letter.to,
            subject=mail["subject"],
            html=crlf(mail["html"].encode("utf-8", "replace")),
            text=crlf(mail["text"].encode("utf-8", "replace")),
            message_id=letter.message_id,
            at=clock.now(),
            unsubscribe_url=None,
            extra=mail["headers"],
        )
    except HeaderRefused as error:
        raise BuildRefused(Reason.BAD_HEADER) from error
