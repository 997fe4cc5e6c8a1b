"""Events as people read them."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from hongyan.contacts.models import ObjectType
from hongyan.contacts.objects_types import object_types
from hongyan.contacts.objects_values import fields_of
from hongyan.contacts.timeline import EventKind, Position, Rank, Window, Word, bound, events_window
from hongyan.core.money import Money, exponent
from hongyan.events.types import EventRow
from hongyan.web.contacts.common import language
from hongyan.web.contacts.timeline import Answer, Asked, Item
from hongyan.web.contacts.timeline_audiences import audience_names, is_move, move_item
from hongyan.web.contacts.timeline_standing import STANDING_TITLES, is_standing, standing_item
from hongyan.web.contacts.words import source_name

TITLES: Mapping[str, Promise] = {
    "page_viewed": gettext_lazy("Viewed a page"),
    "screen_viewed": gettext_lazy("Opened a screen of the app"),
    "form_submitted": gettext_lazy("Sent a form"),
    "page_scrolled": gettext_lazy("Read on in a page"),
    "page_left": gettext_lazy("Left a page"),
    "identified": gettext_lazy("Was recognised"),
    "signed_up": gettext_lazy("Signed up"),
    "signed_in": gettext_lazy("Signed in"),
    "signed_out": gettext_lazy("Signed out"),
    "products_searched": gettext_lazy("Searched for products"),
    "product_list_viewed": gettext_lazy("Viewed a list of products"),
    "product_viewed": gettext_lazy("Viewed a product"),
    "product_clicked": gettext_lazy("Clicked on a product"),
    "product_added": gettext_lazy("Put a product into the cart"),
    "product_removed": gettext_lazy("Took a product out of the cart"),
    "product_added_to_wishlist": gettext_lazy("Put a product on the wish list"),
    "product_shared": gettext_lazy("Shared a product"),
    "product_reviewed": gettext_lazy("Reviewed a product"),
    "cart_viewed": gettext_lazy("Viewed the cart"),
    "checkout_started": gettext_lazy("Started the checkout"),
    "checkout_step_completed": gettext_lazy("Went on in the checkout"),
    "payment_info_entered": gettext_lazy("Entered how to pay"),
    "coupon_applied": gettext_lazy("Used a coupon"),
    "order_completed": gettext_lazy("Placed an order"),
    "order_updated": gettext_lazy("Changed an order"),
    "order_cancelled": gettext_lazy("Cancelled an order"),
    "order_refunded": gettext_lazy("Returned an order"),
    "order_paid": gettext_lazy("Paid an order"),
    "order_shipped": gettext_lazy("An order was shipped"),
    "company_assigned": gettext_lazy("Company changed"),
    "audience_entered": gettext_lazy("Entered an audience"),
    "audience_left": gettext_lazy("Left an audience"),
    **STANDING_TITLES,
    "email_sent": gettext_lazy("Mail accepted by the receiving server"),
    "email_delivered": gettext_lazy("Mail delivered"),
    "email_deferred": gettext_lazy("Mail put off by the receiving server"),
    "email_bounced": gettext_lazy("Mail came back"),
    "email_opened": gettext_lazy("Opened a mail"),
    "email_clicked": gettext_lazy("Clicked in a mail"),
    "email_complained": gettext_lazy("Complained about a mail"),
    "email_unsubscribed": gettext_lazy("Unsubscribed"),
    "email_subscribed": gettext_lazy("Subscribed"),
}
_BY_MACHINES: Mapping[str, Promise] = {
    "email_opened": gettext_lazy("A machine fetched the pictures"),
    "email_clicked": gettext_lazy("A machine followed a link"),
}
_ICONS = {
    "page_viewed": "world", "screen_viewed": "device-mobile", "form_submitted": "forms", "identified": "user-check",
    "signed_up": "user-plus", "signed_in": "login", "signed_out": "logout", "products_searched": "search",
    "product_viewed": "eye", "product_added": "shopping-cart-plus", "product_removed": "shopping-cart-minus",
    "checkout_started": "cash-register", "coupon_applied": "ticket", "order_completed": "shopping-cart",
    "order_cancelled": "shopping-cart-off", "order_refunded": "receipt-refund", "order_paid": "credit-card",
    "order_shipped": "truck-delivery", "company_assigned": "building", "email_opened": "mail-opened",
    "email_clicked": "click", "email_bounced": "mail-x", "email_unsubscribed": "mail-off",
}  # fmt: skip
_TONES = {"order_completed": "ok", "order_paid": "ok", "order_cancelled": "warn", "order_refunded": "warn"}
_NAMES: Mapping[str, Promise] = {
    "title": gettext_lazy("Title"),
    "path": gettext_lazy("Page"),
    "url": gettext_lazy("Address"),
    "referrer": gettext_lazy("Came from"),
    "query": gettext_lazy("Words"),
    "category": gettext_lazy("Category"),
    "product": gettext_lazy("Product"),
    "product_id": gettext_lazy("Product ID"),
    "name": gettext_lazy("Name"),
    "sku": gettext_lazy("SKU"),
    "quantity": gettext_lazy("Quantity"),
    "price": gettext_lazy("Price"),
    "coupon": gettext_lazy("Coupon"),
    "order_id": gettext_lazy("Order"),
    "number": gettext_lazy("Order"),
    "form": gettext_lazy("Form"),
    "plan": gettext_lazy("Plan"),
    "seconds": gettext_lazy("Seconds"),
    "percent": gettext_lazy("Percent"),
    "page_path": gettext_lazy("Page"),
    "utm_campaign": gettext_lazy("UTM campaign"),
    "utm_source": gettext_lazy("UTM source"),
    "utm_medium": gettext_lazy("UTM medium"),
    "device_type": gettext_lazy("Device"),
}
# Told in the title or in the lines below it, or of use to programs only.
_TOLD = frozenset(
    {"products", "total_minor", "currency", "type", "object", "act", "keys", "title", "machine", "origin_kind"}
    | {"origin_id", "message_id", "user_agent", "context", "ip", "library", "anonymous_id", "session_id"}
)
_OF_ORDERS = frozenset({"total", "revenue"})  # told in the title
_SHOWN = 4


def events(asked: Asked) -> Answer:
    """The fact log, also of records that were merged into this one."""
    kinds = {kind.value: kind for kind in EventKind}
    if asked.kind and asked.kind not in kinds:
        return Answer([])
    words = [Word(word, names_known_as(word)) for word in asked.words]
    windows = [
        events_window(
            actor=asked.actor,
            contact_id=contact_id,
            before=bound(asked.before, Rank.EVENTS),
            limit=31,
            kind=kinds.get(asked.kind),
            words=words,
            in_properties=asked.clear,
        )
        for contact_id in asked.contact_ids[:10]
    ]
    rows = [row for window in windows for row in window.rows]
    types = {kind.key: kind for kind in object_types(archived=True)} if any(_is_object(row) for row in rows) else {}
    names = audience_names(rows)
    items = [item_of_event(row, clear=asked.clear, types=types, audiences=names) for row in rows]
    return Answer(items, _horizon(windows))


def names_known_as(word: str) -> tuple[str, ...]:
    """Events whose title in the reader's language holds the word."""
    return tuple(name for name, title in TITLES.items() if word in str(title).casefold())


def _horizon(windows: list[Window]) -> Position | None:
    stops = [window.horizon for window in windows if window.horizon is not None]
    if not stops:
        return None
    at, pk = max(stops)
    return Position(at, Rank.EVENTS, pk)


def _is_object(row: EventRow) -> bool:
    return row.name == "object_updated"


def item_of_event(
    row: EventRow,
    *,
    clear: bool,
    types: Mapping[str, ObjectType] | None = None,
    audiences: Mapping[str, str] | None = None,
) -> Item:
    """types, audiences: what the rows speak of; audiences by public id, None: look it up."""
    position = Position(row.occurred_at, Rank.EVENTS, row.id)
    if is_move(row):
        return move_item(position, row, audience_names([row]) if audiences is None else audiences, TITLES)
    if is_standing(row):
        return standing_item(position, row)
    if _is_object(row):
        return _object_item(position, row, types or {})
    properties = row.properties
    if row.name == "company_assigned":
        return _company_item(position, row)
    if properties.get("machine") and row.name in _BY_MACHINES:
        return Item(position, title=str(_BY_MACHINES[row.name]), icon="robot", quiet=True)
    icon, tone = _ICONS.get(row.name, "point"), _TONES.get(row.name, "")
    known = row.name in TITLES
    if not clear:
        # Free properties may hold anything; what an order was about names nobody.
        return Item(position, title=_title(row), icon=icon, tone=tone, lines=_order_lines(row), by=_source(row))
    told = _TOLD | _OF_ORDERS if row.name.startswith("order_") else _TOLD
    facts = [(_name(key), _text(value)) for key, value in properties.items() if key not in told and _text(value)]
    if known:
        facts.sort(key=lambda fact: fact[0] not in {str(name) for name in _NAMES.values()})
    return Item(
        position,
        title=_title(row),
        icon=icon,
        tone=tone,
        link=_link(row),
        by=_source(row),
        lines=_order_lines(row),
        facts=facts[:_SHOWN],
        more=facts[_SHOWN:60],
        quiet=row.name in {"page_scrolled", "page_left", "identified"},
    )


def _object_item(position: Position, row: EventRow, types: Mapping[str, ObjectType]) -> Item:
    kind = types.get(str(row.properties.get("type")))
    label = (kind.label_zh if language() == "zh-hans" else kind.label_en) if kind else str(row.properties.get("type"))
    words = {
        "made": _("%(kind)s added: %(title)s"),
        "changed": _("%(kind)s changed: %(title)s"),
        "removed": _("%(kind)s removed: %(title)s"),
    }
    text = words.get(str(row.properties.get("act")), _("%(kind)s: %(title)s"))
    labels = {item.key: item.label(language()) for item in fields_of(kind)} if kind else {}
    labels["contact"] = _("moved to this person")
    keys = [labels.get(key, key) for key in row.properties.get("keys", []) if isinstance(key, str)]
    return Item(
        position,
        title=text % {"kind": label, "title": row.properties.get("title", "")},
        icon=kind.icon if kind else "box",
        by=_source(row),
        lines=[_(", ").join(keys)] if keys and row.properties.get("act") == "changed" else [],
    )


def _company_item(position: Position, row: EventRow) -> Item:
    name = row.properties.get("name")
    title = _("Now with the company %(name)s") % {"name": name} if name else _("No longer with a company")
    return Item(position, title=title, icon="building", by=_source(row))


def _title(row: EventRow) -> str:
    words = str(TITLES[row.name]) if row.name in TITLES else row.name
    if row.name.startswith("order_"):
        total = money_text(row.properties.get("total_minor"), row.properties.get("currency"))
        return _("%(what)s: %(total)s") % {"what": words, "total": total} if total else words
    return words


def _link(row: EventRow) -> tuple[str, str]:
    """The page or product it was about; opened only when it is a web address."""
    properties = row.properties
    text = next((str(properties[key]) for key in ("title", "name", "path") if _plain(properties.get(key))), "")
    url = properties.get("url")
    good = isinstance(url, str) and url.startswith(("https://", "http://"))
    if row.name.startswith("order_"):
        return "", ""
    return (str(url), text or str(url)) if good else ("", text)


def _plain(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def money_text(amount_minor: Any, currency: Any) -> str:
    """1,234.50 GBP; "" when the amount is not a whole number of minor units."""
    if not isinstance(amount_minor, int) or not isinstance(currency, str):
        return ""
    return f"{Money(amount_minor, currency).major():,.{exponent(currency)}f} {currency}"


def _order_lines(row: EventRow) -> list[str]:
    """The first products by name, and how many more."""
    products = row.properties.get("products")
    if not isinstance(products, list):
        return []
    named = [_product(product) for product in products if isinstance(product, dict)]
    lines = named[:3]
    if len(named) > len(lines):
        rest = len(named) - len(lines)
        lines.append(ngettext("and %(n)d more product", "and %(n)d more products", rest) % {"n": rest})
    return lines


def _product(product: Mapping[str, Any]) -> str:
    name = product.get("name") or product.get("title") or product.get("sku") or ""
    return f"{_quantity(product.get('quantity'))} × {name}"


def _quantity(value: Any) -> str:
    try:
        return f"{abs(float(value)):g}"
    except (TypeError, ValueError):
        return "1"


def _name(key: str) -> str:
    return str(_NAMES[key]) if key in _NAMES else key


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, (int, float)):
        return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)
    if isinstance(value, str):
        return value[:300]
    if isinstance(value, list) and all(isinstance(part, (str, int, float)) for part in value):
        return _(", ").join(str(part) for part in value)[:300]
    return ""


def _source(row: EventRow) -> str:
    return "" if row.source in {"", "web", "staff", "demo"} else source_name(row.source)
