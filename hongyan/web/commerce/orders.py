"""Orders and products: lists, one order, one product."""

import re
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.commerce import order_acts, selectors
from hongyan.commerce.errors import CommerceMissing
from hongyan.commerce.models import Order
from hongyan.commerce.words import missing
from hongyan.contacts.errors import ContactNotFound
from hongyan.contacts.listing import contact_rows
from hongyan.contacts.selectors import contact_by_public_id, identities
from hongyan.web.commerce import labels
from hongyan.web.commerce.shared import PER_PAGE, actor_of, read_day, read_place, write_place
from hongyan.web.contacts.words import country_name
from hongyan.web.middleware import CONTENT_SECURITY_POLICY

_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?")  # what may stand in the policy: the picture's own host, nothing else


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    given = request.GET
    contact = _contact(request)
    product = _product(request)
    filters = selectors.OrderFilters(
        search=given.get("q", "").strip()[:120],
        state=given.get("state", ""),
        kind=given.get("kind", ""),
        source=given.get("source", ""),
        contact_id=contact[0].pk if contact else None,
        missing=True if given.get("customer") == "none" else None,
        day_from=read_day(given.get("from", "")),
        day_to=read_day(given.get("to", "")),
        product_id=product.pk if product else None,
    )
    rows, following = selectors.order_page(
        actor=actor, filters=filters, after=read_place(given.get("after", "")), limit=PER_PAGE
    )
    totals = selectors.order_totals(actor=actor, filters=filters)
    ids = [row.contact_id for row in rows if row.contact_id is not None]
    names = _names(actor, ids)
    context = {
        "rows": [
            {
                "order": row,
                "pill": labels.pill(row),
                "name": names.get(row.contact_id or 0) or _("Unnamed"),
                "missing": missing(row.missing),
                "total": labels.money(row.total_minor, row.currency),
                "refunded": labels.money(row.refunded_minor, row.currency) if row.refunded_minor else "",
            }
            for row in rows
        ],
        "totals": totals,
        "sums": [
            {"total": labels.money(total, code), "back": labels.money(back, code) if back else ""}
            for code, total, back in totals.sums[:4]
        ],
        "after": write_place(following),
        "states": labels.states(),
        "kinds": labels.kinds(),
        "sources": selectors.sources(actor=actor),
        "filters": filters,
        "filtered": filters != selectors.OrderFilters(),
        "contact": {"public_id": contact[0].public_id, "name": _names(actor, [contact[0].pk]).get(contact[0].pk, "")}
        if contact
        else None,
        "product": product,
        "anything": bool(rows) or selectors.anything(actor=actor),
    }
    return render(request, "commerce/orders.html", context)


def _names(actor: Actor, contact_ids: Sequence[int]) -> dict[int, str]:
    """How to call them: many a file knows customers by their number only, which is shown to those who may see it."""
    rows = contact_rows(actor=actor, contact_ids=contact_ids)
    names = {found.id: found.name or found.email or found.phone for found in rows}
    nameless = [pk for pk, name in names.items() if not name]
    if nameless and actor.may(Permission.CONTACT_IDENTITY):
        names |= {pk: identity.external_id for pk, identity in identities(nameless).items()}
    return names


def _contact(request: HttpRequest) -> Any:
    public_id = request.GET.get("contact", "")
    if not public_id:
        return None
    try:
        return contact_by_public_id(actor=actor_of(request), public_id=public_id, audit=False)
    except ContactNotFound as error:
        raise Http404 from error


def _product(request: HttpRequest) -> Any:
    public_id = request.GET.get("product", "")
    if not public_id:
        return None
    try:
        return selectors.product_view(actor=actor_of(request), public_id=uuid.UUID(public_id))
    except (CommerceMissing, ValueError) as error:
        raise Http404 from error


@require_GET
def order(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    try:
        view = selectors.order_view(actor=actor, public_id=public_id)
    except CommerceMissing as error:
        raise Http404 from error
    row = view.order
    names = _names(actor, [row.contact_id]) if row.contact_id else {}
    facts = selectors.facts_of_contact(actor=actor, contact_id=row.contact_id) if row.contact_id else None
    context = {
        "order": row,
        "country": country_name(row.country) if row.country else "",
        "pill": labels.pill(row),
        "lines": [
            {
                "line": line,
                "kind": labels.line_kind(line.kind),
                "quantity": labels.exact(line.quantity),
                "price": labels.exact(line.unit_price),
                "amount": labels.money(line.amount_minor, row.currency),
                "returned": labels.exact(line.returned) if line.returned else "",
                "notes": view.returned_by.get(line.pk, []),
                "takes_back": view.returns.get(line.pk),
                "match": labels.match(line.match),
            }
            for line in view.lines
        ],
        "sums": _sums(row),
        "refunds": [(refund, labels.money(refund.amount_minor, row.currency)) for refund in view.refunds],
        "changes": [
            {
                "at": change.at,
                "by": change.by,
                "what": [
                    (
                        labels.change(name),
                        labels.changed_value(name, change.before.get(name), row),
                        labels.changed_value(name, value, row),
                    )
                    for name, value in change.after.items()
                ],
            }
            for change in view.changes
        ],
        "customer": row.contact if names else None,
        "customer_name": names.get(row.contact_id or 0, ""),
        "missing": missing(row.missing),
        "bought": [labels.money(item["minor"], code) for code, item in sorted(facts.per_currency.items())]
        if facts
        else [],
        "facts": facts,
    }
    return render(request, "commerce/order.html", context)


def _sums(row: Order) -> list[tuple[str, str, bool]]:
    """Label, amount, whether it is the result."""
    money = labels.money
    found = [
        (_("Goods"), row.lines_minor),
        (_("Discount"), -row.discount_minor),
        (_("Shipping"), row.shipping_minor),
        (_("Tax"), row.tax_minor),
        (_("Charges and corrections"), row.fees_minor),
    ]
    sums = [(label, money(minor, row.currency), False) for label, minor in found if minor]
    sums.append((_("Total"), money(row.total_minor, row.currency), True))
    if row.refunded_minor:
        sums.append((_("Given back"), money(-row.refunded_minor, row.currency), False))
        sums.append((_("What remains"), money(row.total_minor - row.refunded_minor, row.currency), True))
    return sums


@require_POST
def order_delete(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    try:
        order_acts.order_delete(actor=actor_of(request), public_id=public_id)
    except Order.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("The order is deleted."))
    return redirect("commerce:index")


@require_GET
def products(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    given = request.GET
    filters = selectors.ProductFilters(
        search=given.get("q", "").strip()[:120],
        source=given.get("source", ""),
        active={"yes": True, "no": False}.get(given.get("active", "")),
    )
    rows, following = selectors.product_page(
        actor=actor, filters=filters, after=read_place(given.get("after", "")), limit=PER_PAGE
    )
    sold = selectors.sold(actor=actor, product_ids=[row.pk for row in rows])
    context = {
        "rows": [
            {
                "product": row,
                "price": labels.money(row.price_minor, row.currency) if row.price_minor is not None else "—",
                "sold": [_sold(item) for item in sold.get(row.pk, [])[:2]],
            }
            for row in rows
        ],
        "after": write_place(following),
        "sources": selectors.sources(actor=actor),
        "filters": filters,
        "filtered": filters != selectors.ProductFilters(),
    }
    return render(request, "commerce/products.html", context)


def _sold(item: selectors.Sold) -> dict[str, Any]:
    return {
        "orders": item.orders,
        "quantity": labels.exact(item.quantity),
        "amount": labels.money(item.amount_minor, item.currency),
        "returned": labels.exact(item.returned) if item.returned else "",
        "returned_amount": labels.money(item.returned_minor, item.currency),
        "currency": item.currency,
    }


@require_GET
def product(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    try:
        row = selectors.product_view(actor=actor, public_id=public_id)
    except CommerceMissing as error:
        raise Http404 from error
    latest, _more = selectors.order_page(actor=actor, filters=selectors.OrderFilters(product_id=row.pk), limit=10)
    context = {
        "product": row,
        "price": labels.money(row.price_minor, row.currency) if row.price_minor is not None else "—",
        "sold": [_sold(item) for item in selectors.sold(actor=actor, product_ids=[row.pk]).get(row.pk, [])],
        "orders": [
            {"order": item, "pill": labels.pill(item), "total": labels.money(item.total_minor, item.currency)}
            for item in latest
        ],
        "picture": row.image_url if row.image_url.startswith("https://") else "",
    }
    answer = render(request, "commerce/product.html", context)
    picture = urlsplit(row.image_url)
    if picture.scheme == "https" and _HOST.fullmatch(picture.netloc):
        policy = CONTENT_SECURITY_POLICY.replace(
            "img-src 'self' data:", f"img-src 'self' data: https://{picture.netloc}"
        )
        answer.headers["Content-Security-Policy"] = policy
    return answer
