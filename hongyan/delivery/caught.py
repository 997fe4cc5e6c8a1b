"""Reading what the catcher kept, and acting on it as a mail client would."""

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener
from uuid import UUID

from django.conf import settings
from django.db.models import BooleanField, Case, Q, When

from hongyan.accounts.models.users import User
from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.masking import masked_email
from hongyan.delivery.errors import DeliveryProblem
from hongyan.delivery.models import CaughtMail

_ONE_CLICK = re.compile(r"<(https?://[^<>\s]+)>")


@dataclass(frozen=True, slots=True)
class CaughtRow:
    id: int
    public_id: UUID
    received_at: datetime
    rcpt_to: str
    from_header: str
    subject: str
    size: int
    clear: bool  # False: recipient masked, subject withheld


@dataclass(frozen=True, slots=True)
class CaughtRead:
    """A mail taken apart. one_click_url: where a mail client would post to unsubscribe."""

    row: CaughtRow
    mail_from: str
    headers: list[tuple[str, str]]
    html: str
    text: str
    source: str
    attachments: list[str]
    one_click_url: str | None


class NoCaughtMail(DeliveryProblem):
    """It was deleted, or made room for newer ones."""


class CaughtMailHidden(NoCaughtMail):
    """It is somebody else's, and the reader may not see identities. A mail cannot be masked: names, addresses and links
    that sign in stand anywhere in it."""


def caught_page(
    *, actor: Actor, search: str = "", before: int | None = None, limit: int = 50
) -> tuple[list[CaughtRow], int]:
    """Newest first, and how many there are in all. before: the id of the last row shown."""
    actor.require(Permission.SYSTEM_VIEW)
    found, readable = CaughtMail.objects.all(), _readable(actor)
    for word in search.split():
        # Searching is reading: a name that is found is known.
        own = (Q(subject__icontains=word) | Q(rcpt_to__icontains=word)) & readable
        found = found.filter(own | Q(from_header__icontains=word))
    total = found.count()
    if before is not None:
        found = found.filter(id__lt=before)
    columns = ("id", "public_id", "received_at", "rcpt_to", "from_header", "subject", "size")
    rows = found.annotate(clear=Case(When(readable, then=True), default=False, output_field=BooleanField()))
    return [_row(CaughtRow(*row)) for row in rows.order_by("-id").values_list(*columns, "clear")[:limit]], total


def caught_read(*, actor: Actor, public_id: UUID) -> CaughtRead:
    """Raises NoCaughtMail, CaughtMailHidden."""
    mail = _readable_mail(actor, public_id)
    raw = bytes(mail.raw)
    parsed = email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)
    parts = list(_texts(parsed))
    head = (mail.pk, mail.public_id, mail.received_at, mail.rcpt_to, mail.from_header, mail.subject, mail.size)
    return CaughtRead(
        row=CaughtRow(*head, clear=True),
        mail_from=mail.mail_from,
        headers=_headers(parsed),
        html=next((text for kind, text in parts if kind == "text/html"), ""),
        text=next((text for kind, text in parts if kind == "text/plain"), ""),
        source=raw.decode("utf-8", "replace"),
        attachments=[part.get_filename() or part.get_content_type() for part in parsed.iter_attachments()],
        one_click_url=_one_click(parsed),
    )


def caught_raw(*, actor: Actor, public_id: UUID) -> bytes:
    """Raises NoCaughtMail, CaughtMailHidden."""
    return bytes(_readable_mail(actor, public_id).raw)


def caught_delete_all(*, actor: Actor) -> int:
    actor.require(Permission.SYSTEM_VIEW)
    return CaughtMail.objects.all().delete()[0]


def one_click_post(*, actor: Actor, public_id: UUID) -> int:
    """What a mail client does when somebody presses its unsubscribe button (RFC 8058): a POST without cookies that
    follows no redirect. Returns the HTTP status; 0 when nobody answered.

    Only to this installation: a caught mail could name any address.
    """
    read = caught_read(actor=actor, public_id=public_id)
    url = read.one_click_url
    if url is None or not url.startswith(settings.HONGYAN_BASE_URL + "/"):
        raise DeliveryProblem("the mail has no one-click address of this installation")
    request = Request(url, data=b"List-Unsubscribe=One-Click", method="POST")  # noqa: S310  checked above
    request.add_header("Content-Type", "application/x-www-form-urlencoded")
    try:
        with build_opener(_NoRedirect).open(request, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except (URLError, TimeoutError, OSError):
        return 0


def _readable(actor: Actor) -> Q:
    """Everything for those who may see identities; for others what was sent to themselves."""
    if actor.may(Permission.CONTACT_IDENTITY):
        return Q(pk__isnull=False)
    own = (
        User.objects.filter(pk=actor.id or 0).values_list("email", flat=True).first()
        if actor.kind == "user" and actor.id
        else None
    )
    return Q(rcpt_to__iexact=own) if own else Q(pk__isnull=True)


def _readable_mail(actor: Actor, public_id: UUID) -> CaughtMail:
    actor.require(Permission.SYSTEM_VIEW)
    mails = CaughtMail.objects.filter(public_id=public_id)
    mail = mails.filter(_readable(actor)).first()
    if mail is not None:
        return mail
    if mails.exists():
        raise CaughtMailHidden("somebody else's mail")
    raise NoCaughtMail("this mail is no longer kept")


def _row(row: CaughtRow) -> CaughtRow:
    if row.clear:
        return row
    masked = ", ".join(masked_email(address.strip()) for address in row.rcpt_to.split(","))
    return replace(row, rcpt_to=masked, subject="")


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *args: object, **kwargs: object) -> None:
        """RFC 8058 §3.1: the answer must come from the address itself."""


def _texts(parsed: EmailMessage) -> Iterator[tuple[str, str]]:
    for part in parsed.walk():
        if part.get_content_maintype() != "text" or part.get_content_disposition() == "attachment":
            continue
        body = part.get_payload(decode=True)
        raw = body if isinstance(body, bytes) else b""
        charset = part.get_content_charset() or "utf-8"
        try:
            yield part.get_content_type(), raw.decode(charset, "replace")
        except LookupError:  # a character set nobody knows
            yield part.get_content_type(), raw.decode("utf-8", "replace")


def _headers(parsed: EmailMessage) -> list[tuple[str, str]]:
    """As they stand, unfolded and decoded; a header the parser cannot read stays raw."""
    found = []
    for name, raw in parsed.raw_items():
        try:
            value = str(parsed.policy.header_factory(name, raw))  # type: ignore[attr-defined]
        except Exception:  # noqa: BLE001  the parser of the standard library raises many things on hostile headers
            value = str(raw)
        found.append((name, value))
    return found


def _one_click(parsed: EmailMessage) -> str | None:
    raw = {name.lower(): str(value) for name, value in parsed.raw_items()}
    if raw.get("list-unsubscribe-post", "").strip() != "List-Unsubscribe=One-Click":
        return None
    match = _ONE_CLICK.search(raw.get("list-unsubscribe", "").replace("\r\n", ""))
    return match[1] if match else None
