"""What happened with a person, in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.campaigns.models import Campaign
from hongyan.core.money import Money, exponent
from hongyan.delivery.selectors import message_facts, messages_of_contact
from hongyan.delivery.types import MessageKey, RecipientRow
from hongyan.events.selectors import events_of_contact
from hongyan.events.types import EventRow
from hongyan.web.campaigns.words import reason as reason_text
from hongyan.web.contacts.words import MESSAGE_STATES

PER_PAGE = 25
_CAMPAIGN_PEOPLE = (
    Permission.CAMPAIGN_EDIT,
    Permission.CAMPAIGN_SEND,
    Permission.CAMPAIGN_APPROVE,
)
_LOOKS = {  # name: icon, tone
    "email_sent": ("send", ""),
    "email_delivered": ("checks", ""),
    "email_deferred": ("refresh", "warn"),
    "email_bounced": ("mail-x", "bad"),
    "email_opened": ("mail-opened", "ok"),
    "email_clicked": ("click", "ok"),
    "email_complained": ("alert-triangle", "bad"),
    "email_unsubscribed": ("mail-off", "warn"),
    "email_subscribed": ("mail-check", "ok"),
    "order_completed": ("shopping-cart", "ok"),
    "order_cancelled": ("shopping-cart-off", "warn"),
    "order_refunded": ("receipt-refund", "warn"),
}


@dataclass(frozen=True, slots=True)
class Item:
    title: str
    icon: str
    tone: str
    at: datetime
    campaign: str = ""  # name
    url: str = ""
    machine: bool = False
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mail:
    at: datetime
    state: str
    state_label: str
    reason: str
    campaign: str
    url: str


def timeline_page(
    *, actor: Actor, contact_id: int, before: tuple[datetime, int] | None
) -> tuple[list[Item], tuple[datetime, int] | None]:
    """Newest first, and where the next page begins."""
    rows = events_of_contact(actor=actor, contact_id=contact_id, before=before, limit=PER_PAGE + 1)
    more = rows[PER_PAGE - 1] if len(rows) > PER_PAGE else None
    rows = rows[:PER_PAGE]
    campaigns = _campaigns([row.properties.get("origin_id") for row in rows if _of_campaign(row)])
    items = [_item(actor, row, campaigns) for row in rows]
    return items, (more.occurred_at, more.id) if more is not None else None


def mails_of(*, actor: Actor, contact_id: int, limit: int = 20) -> list[Mail]:
    rows = messages_of_contact(actor=actor, contact_id=contact_id, limit=limit)
    facts = message_facts([MessageKey(row.message_id, row.month) for row in rows])
    origins = {key.id: fact.origin_id for key, fact in facts.items() if fact.origin_kind == "campaign"}
    campaigns = _campaigns(list(origins.values()))
    return [_mail(actor, row, campaigns.get(origins.get(row.message_id, 0))) for row in rows]


def money_text(amount_minor: Any, currency: Any) -> str:
    """1,234.50 GBP; "" when the amount is not a whole number of minor units."""
    if not isinstance(amount_minor, int) or not isinstance(currency, str):
        return ""
    return f"{Money(amount_minor, currency).major():,.{exponent(currency)}f} {currency}"


def _campaigns(ids: Sequence[Any]) -> dict[int, Campaign]:
    wanted = {number for number in ids if isinstance(number, int)}
    return Campaign.objects.only("public_id", "name").in_bulk(wanted) if wanted else {}


def _of_campaign(row: EventRow) -> bool:
    return row.properties.get("origin_kind") == "campaign"


def _item(actor: Actor, row: EventRow, campaigns: Mapping[int, Campaign]) -> Item:
    icon, tone = _LOOKS.get(row.name, ("point", ""))
    machine = bool(row.properties.get("machine"))
    campaign = campaigns.get(row.properties.get("origin_id", 0)) if _of_campaign(row) else None
    return Item(
        title=_sentence(row, machine=machine),
        icon="robot" if machine else icon,
        tone="" if machine else tone,
        at=row.occurred_at,
        campaign=campaign.name if campaign is not None else "",
        url=_url(actor, campaign),
        machine=machine,
        lines=_order_lines(row) if row.name.startswith("order_") else [],
    )


def _sentence(row: EventRow, *, machine: bool) -> str:
    if machine and row.name == "email_opened":
        return _("A machine fetched the pictures")
    if machine and row.name == "email_clicked":
        return _("A machine followed a link")
    if row.name.startswith("order_"):
        return _order_sentence(row)
    known = {
        "email_sent": _("Mail accepted by the receiving server"),
        "email_delivered": _("Mail delivered"),
        "email_deferred": _("Mail put off by the receiving server"),
        "email_bounced": _("Mail came back"),
        "email_opened": _("Opened a mail"),
        "email_clicked": _("Clicked in a mail"),
        "email_complained": _("Complained about a mail"),
        "email_unsubscribed": _("Unsubscribed"),
        "email_subscribed": _("Subscribed"),
        "product_viewed": _("Viewed a product"),
        "product_added": _("Put a product into the cart"),
        "checkout_started": _("Started the checkout"),
    }
    return known.get(row.name, row.name)


def _order_sentence(row: EventRow) -> str:
    known = {
        "order_completed": _("Placed an order"),
        "order_cancelled": _("Cancelled an order"),
        "order_refunded": _("Returned an order"),
    }
    words = known.get(row.name, row.name)
    total = money_text(row.properties.get("total_minor"), row.properties.get("currency"))
    return _("%(what)s: %(total)s") % {"what": words, "total": total} if total else words


def _order_lines(row: EventRow) -> list[str]:
    """The first products by name, and how many more."""
    products = row.properties.get("products")
    if not isinstance(products, list):
        return []
    named = [
        f"{abs(product['quantity'])} × {product.get('name', '')}"
        for product in products
        if isinstance(product, dict) and isinstance(product.get("quantity"), int)
    ]
    lines = named[:3]
    if len(named) > len(lines):
        rest = len(named) - len(lines)
        lines.append(ngettext("and %(n)d more product", "and %(n)d more products", rest) % {"n": rest})
    return lines


def _mail(actor: Actor, row: RecipientRow, campaign: Campaign | None) -> Mail:
    state = row.state.name.lower()
    return Mail(
        at=row.finished_at or row.due_at,
        state=state,
        state_label=str(MESSAGE_STATES[state]),
        reason=reason_text(row.reason) if row.reason else "",
        campaign=campaign.name if campaign is not None else "",
        url=_url(actor, campaign),
    )


def _url(actor: Actor, campaign: Campaign | None) -> str:
    if campaign is None or not any(actor.may(permission) for permission in _CAMPAIGN_PEOPLE):
        return ""
    return reverse("campaigns:page", args=[campaign.public_id])
