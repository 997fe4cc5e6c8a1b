"""Sender identities."""

from dataclasses import dataclass

import idna
from django.db import transaction
from django.utils.translation import gettext as _

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.core import clock
from hongyan.delivery.errors import DeliveryProblem
from hongyan.delivery.mime.address import Address, AddressRefused, parse_address
from hongyan.delivery.mime.gate import display_name_problem
from hongyan.delivery.models import Sender

# Mailbox providers whose domains only they may send from: mail "from" them through us fails authentication everywhere.
_FOREIGN = frozenset({
    "gmail.com", "googlemail.com", "qq.com", "foxmail.com", "163.com", "126.com", "yeah.net", "sina.com",
    "sohu.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "icloud.com", "me.com",
    "aol.com", "gmx.de", "gmx.net", "web.de", "mail.ru", "yandex.ru", "proton.me",
})  # fmt: skip


class SenderRefused(DeliveryProblem):
    """A value of the sender cannot be used; ``field`` says which, the text why."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class SenderValues:
    from_name: str
    from_email: str
    company_name: str
    postal_address: str
    reply_to: str = ""
    phone: str = ""
    website: str = ""


def sender_create(*, actor: Actor, values: SenderValues, make_default: bool = False) -> Sender:
    """The first sender becomes the default. Raises SenderRefused."""
    actor.require(Permission.SETTINGS_EDIT)
    with transaction.atomic():
        sender = Sender()
        _fill(sender, values)
        sender.save()
        if make_default or not Sender.objects.filter(is_default=True).exists():
            _make_default(sender)
        record(actor=actor, action="sender.created", subject_kind="sender", subject_id=str(sender.public_id))
    return sender


def sender_update(*, actor: Actor, sender: Sender, values: SenderValues, make_default: bool = False) -> Sender:
    """Raises SenderRefused."""
    actor.require(Permission.SETTINGS_EDIT)
    with transaction.atomic():
        _fill(sender, values)
        sender.save()
        if make_default:
            _make_default(sender)
        record(actor=actor, action="sender.changed", subject_kind="sender", subject_id=str(sender.public_id))
    return sender


def sender_archive(*, actor: Actor, sender: Sender) -> None:
    """It can no longer be chosen; messages already queued keep it. The default sender cannot be archived."""
    actor.require(Permission.SETTINGS_EDIT)
    if sender.is_default:
        raise SenderRefused("is_default", _("Make another sender the default first."))
    with transaction.atomic():
        sender.archived_at = clock.now()
        sender.save(update_fields=["archived_at"])
        record(actor=actor, action="sender.archived", subject_kind="sender", subject_id=str(sender.public_id))


def _fill(sender: Sender, values: SenderValues) -> None:
    name = values.from_name.strip()
    problem = display_name_problem(name)
    if problem:
        raise SenderRefused("from_name", problem)
    address = _address("from_email", values.from_email)
    if address.domain_ascii in _FOREIGN:
        raise SenderRefused(
            "from_email", _("Use an address of your own domain: mailbox providers refuse others sending as theirs.")
        )
    for field in ("company_name", "postal_address"):
        if not getattr(values, field).strip():
            raise SenderRefused(field, _("The law asks for this in the footer of every marketing mail."))
    sender.from_name, sender.from_email, sender.domain = name, address.as_text, address.domain_ascii
    sender.reply_to = _address("reply_to", values.reply_to).as_text if values.reply_to.strip() else ""
    sender.company_name, sender.postal_address = values.company_name.strip(), values.postal_address.strip()
    sender.phone, sender.website = values.phone.strip(), values.website.strip()


def _address(field: str, text: str) -> Address:
    try:
        address = parse_address(text.strip())
        idna.encode(address.domain_ascii)
    except (AddressRefused, idna.IDNAError) as error:
        raise SenderRefused(field, _("This is not an e-mail address that can be used here.")) from error
    if not address.local.isascii():
        raise SenderRefused(field, _("The part before @ must be plain letters and digits."))
    return address


def _make_default(sender: Sender) -> None:
    Sender.objects.filter(is_default=True).exclude(pk=sender.pk).update(is_default=False)
    sender.is_default = True
    sender.save(update_fields=["is_default"])
