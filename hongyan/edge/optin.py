"""The confirmation mail of a sign-up: the ready template, to the address that was typed, through the outbox."""

from functools import lru_cache

from django.conf import settings
from django.urls import reverse

from hongyan.accounts.organisation import organisation
from hongyan.contacts.signup import Confirmation, Signup
from hongyan.content.preview import PreviewLinks
from hongyan.content.ready.shelf import CONFIRMATION, ready_template
from hongyan.content.rendering import PreparedMail, prepare
from hongyan.content.services import content_compile
from hongyan.content.types import RenderedMail
from hongyan.delivery.errors import UnknownSender
from hongyan.delivery.links import message_token
from hongyan.delivery.models import Message
from hongyan.delivery.outbox import default_sender, send_now
from hongyan.delivery.types import DirectMail, MessageKey

KIND = "optin"


def send_confirmation(signup: Signup) -> None:
    """Queue it in the caller's transaction: without the mail there is no sign-up. Raises DeliveryProblem."""
    mail = _rendered(signup)
    send_now(
        kind=KIND,
        origin_id=signup.request_id,
        to=signup.email,
        mail=DirectMail(mail.subject, mail.html or None, mail.text),
        contact_id=signup.contact_id,
        month_of=signup.requested_at,
    )


def preferences_path(confirmation: Confirmation) -> str:
    """The preference centre by the token of the confirmation mail; "" when that message is no longer kept."""
    message = Message.objects.filter(
        origin_kind=KIND, origin_id=confirmation.request_id, contact_id=confirmation.contact_id
    ).first()
    if message is None:
        return ""
    return reverse("edge:preferences", args=[message_token(MessageKey(message.pk, message.month))])


def _rendered(signup: Signup) -> RenderedMail:
    action_url = settings.HONGYAN_BASE_URL.rstrip("/") + reverse("edge:confirm", args=[signup.token])
    # No link of this mail is counted and it has no pixel: nobody has agreed to anything yet.
    return _prepared(signup.language).render({"sender": _sender(), "action_url": action_url}, PreviewLinks())


@lru_cache(maxsize=4)
def _prepared(language: str) -> PreparedMail:
    return prepare(content_compile(ready_template(CONFIRMATION, language).draft()))


def _sender() -> dict[str, str]:
    house = organisation()
    try:
        sender = default_sender()
    except UnknownSender:
        name = house.name or "Hongyan 鸿雁"
        return {"name": name, "company": name, "address": house.postal_address or settings.HONGYAN_BASE_URL}
    return {
        "name": sender.from_name,
        "email": sender.from_email,
        "company": sender.company_name,
        "address": sender.postal_address,
    }
