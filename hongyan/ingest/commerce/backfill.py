"""Fetching a shop's past page by page, each committed with the address of the next, to go on where it was."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import requests
from django.db import transaction
from django.utils.translation import gettext_noop

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor, system_actor
from hongyan.audit.services import record
from hongyan.commerce import orders, products
from hongyan.commerce.errors import CommerceRefused, ShopRefused
from hongyan.commerce.models import Shop
from hongyan.commerce.people import customer_update
from hongyan.commerce.shops import credentials_of, shop_by_public_id, shop_tested
from hongyan.commerce.types import Outcome, ProductIn
from hongyan.core.clock import now
from hongyan.ingest.commerce import shopify, woocommerce
from hongyan.ingest.commerce.inbox import KIND, currency_of, customer_of
from hongyan.ingest.commerce.said import Unreadable
from hongyan.ingest.quarantine import NewQuarantined, Trouble, quarantine_add
from hongyan.ingest.sources.errors import SourceFailed
from hongyan.ingest.sources.reading.network import SourceSession
from hongyan.jobs.models import Job
from hongyan.jobs.services import job_start

WHAT: Final = ("products", "customers", "orders")
_TOPIC: Final = {
    Shop.Kind.SHOPIFY: {"products": "products/update", "customers": "customers/update", "orders": "orders/updated"},
    Shop.Kind.WOOCOMMERCE: {"products": "product.updated", "customers": "customer.updated", "orders": "order.updated"},
}
_PROBLEMS: Final = {401: "credentials", 402: "scope", 403: "scope", 404: "not_a_shop", 429: "busy"}
Advance = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Fetched:
    items: list[Any]
    following: str  # address of the next page, "" at the end
    total: int | None


def backfill_start(*, actor: Actor, public_id: Any) -> Job:
    """Start over, or go on with one that stopped. Raises ShopRefused while one runs or the shop is disconnected."""
    actor.require(Permission.SOURCE_EDIT)
    with transaction.atomic():
        shop = shop_by_public_id(actor=actor, public_id=public_id, lock=True)
        if not shop.connected:
            raise ShopRefused("credentials")
        if shop.backfill is not None and not shop.backfill.ended:
            raise ShopRefused("busy")
        if all(shop.backfill_state.get(what, {}).get("finished") for what in WHAT):
            shop.backfill_state = {k: v for k, v in shop.backfill_state.items() if k not in WHAT}
        job = job_start(
            actor=actor,
            kind="shop_backfill",
            params={"shop_id": shop.pk},
            title=gettext_noop("Fetching the past of “%(shop)s”"),
            title_params={"shop": shop.name[:80]},
        )
        shop.backfill = job
        shop.save(update_fields=["backfill", "backfill_state"])
        record(actor=actor, action="shop.backfill", subject_kind="shop", subject_id=str(shop.public_id))
    return job


def backfill_run(shop_id: int, advance: Advance, *, wait: Callable[[float], None] = time.sleep) -> dict[str, Any]:
    """Raises ShopRefused with the reason that ended it; what was committed stays."""
    shop = Shop.objects.get(pk=shop_id)
    client = ShopClient(shop, wait=wait)
    _learn_currency(shop, client)
    done = sum(shop.backfill_state.get(what, {}).get("done", 0) for what in WHAT)
    for what in WHAT:
        state = shop.backfill_state.get(what) or {"done": 0, "failed": 0, "next": "", "finished": False}
        while not state["finished"]:
            page = client.page(what, state["next"])
            failed = _take(shop, what, page.items)
            done += len(page.items)
            state = {
                "done": state["done"] + len(page.items),
                "failed": state["failed"] + failed,
                "next": page.following,
                "finished": not page.following,
                "total": page.total,
            }
            _remember(shop, what, state)
            advance(done, None)
    return {what: shop.backfill_state[what]["done"] for what in WHAT}


def shop_test(*, actor: Actor, public_id: Any, wait: Callable[[float], None] = time.sleep) -> str:
    """Whether address and keys are right: "" or a code for ``commerce.words``. Kept with the shop."""
    actor.require(Permission.SOURCE_EDIT)
    shop = shop_by_public_id(actor=actor, public_id=public_id)
    problem = ""
    try:
        client = ShopClient(shop, wait=wait)
        _learn_currency(shop, client)
        for what in WHAT:
            client.page(what, "", size=1)
    except ShopRefused as refused:
        problem = refused.code
    shop_tested(shop, problem)
    return problem


class ShopClient:
    """The shop's interface: signed in, patient when it asks to wait, never led to another host."""

    def __init__(self, shop: Shop, *, wait: Callable[[float], None] = time.sleep) -> None:
        self._shop, keys = shop, credentials_of(shop)
        if not keys.token:
            raise ShopRefused("credentials")
        host = urlsplit(shop.address).hostname or ""
        self._session = SourceSession(frozenset({host}), private=keys.private, wait=wait)
        self._session.headers["Accept"] = "application/json"
        if shop.kind == Shop.Kind.SHOPIFY:
            self._session.headers["X-Shopify-Access-Token"] = keys.token
        else:
            self._session.auth = (keys.token, keys.secret)

    def get(self, url: str) -> requests.Response:
        """Raises ShopRefused."""
        try:
            answer = self._session.get(url, allow_redirects=False)
        except SourceFailed as error:
            raise ShopRefused(
                "private_address" if error.code == "address_private" else "unreachable", "address"
            ) from error
        except requests.RequestException as error:
            raise ShopRefused("unreachable", "address") from error
        if answer.status_code != 200:
            raise ShopRefused(_PROBLEMS.get(answer.status_code, "unreachable"), "token")
        return answer

    def page(self, what: str, address: str, *, size: int | None = None) -> Fetched:
        """address: ``following`` of the page before, "" for the first."""
        if address and not address.startswith(self._shop.address + "/"):
            raise ShopRefused("not_a_shop", "address")
        if self._shop.kind == Shop.Kind.SHOPIFY:
            return self._shopify(what, address, size or 250)
        return self._woocommerce(what, address, size or 100)

    def _shopify(self, what: str, address: str, size: int) -> Fetched:
        extra = "&status=any" if what == "orders" else ""
        answer = self.get(address or f"{self._shop.address}{shopify.API}/{what}.json?limit={size}{extra}")
        # Cursor pages: Link: <…page_info=…>; rel="next". https://shopify.dev/docs/api/admin-rest/usage/pagination
        following = str(answer.links.get("next", {}).get("url", ""))
        return Fetched(_list(answer, what), following, None)

    def _woocommerce(self, what: str, address: str, size: int) -> Fetched:
        base = f"{self._shop.address}{woocommerce.API}/{what}?per_page={size}&orderby=id&order=asc"
        answer = self.get(address or f"{base}&page=1")
        number = int(address.rpartition("&page=")[2]) if address else 1
        pages, total = (answer.headers.get(name, "") for name in ("X-WP-TotalPages", "X-WP-Total"))
        last = int(pages) if pages.isascii() and pages.isdigit() else number
        count = int(total) if total.isascii() and total.isdigit() else None
        return Fetched(_list(answer, ""), f"{base}&page={number + 1}" if number < last else "", count)

    def currency(self) -> str:
        """ "" where the shop does not say."""
        if self._shop.kind == Shop.Kind.SHOPIFY:
            about = _json(self.get(f"{self._shop.address}{shopify.API}/shop.json")).get("shop", {})
            return str(about.get("currency", ""))[:3]
        try:
            about = _json(self.get(f"{self._shop.address}{woocommerce.API}/data/currencies/current"))
        except ShopRefused as refused:
            if refused.code in {"not_a_shop", "scope"}:  # older shops and narrow keys: the orders say it
                return ""
            raise
        return str(about.get("code", ""))[:3]


def _learn_currency(shop: Shop, client: ShopClient) -> None:
    currency = client.currency()
    if currency:
        shop.backfill_state = {**shop.backfill_state, "currency": currency}
        Shop.objects.filter(pk=shop.pk).update(backfill_state=shop.backfill_state)


def _take(shop: Shop, what: str, items: Iterable[Any]) -> int:
    """Write a page. Returns how many went to quarantine."""
    actor = system_actor("shop")
    good: list[Any] = []
    bad: list[tuple[Any, Trouble]] = []
    for item in items:
        try:
            made = _made(shop, what, item)
        except Unreadable as error:
            bad.append((item, Trouble(error.code, error.place)))
            continue
        except CommerceRefused as refused:
            bad.append((item, Trouble(refused.code, refused.field)))
            continue
        if made is not None:
            good.append((item, made))
    with transaction.atomic():
        outcomes: list[Any] = []
        made_ones = [made for _, made in good]
        if what == "orders":
            outcomes = list(orders.upsert(actor=actor, source=shop.key, orders=made_ones, by=f"{shop.key}:past"[:64]))
        elif what == "products":
            outcomes = list(products.upsert(actor=actor, source=shop.key, products=made_ones))
        else:
            for person in made_ones:
                customer_update(person, source=shop.key, at=now())
        bad += [
            (item, Trouble(outcome.code))
            for (item, _), outcome in zip(good, outcomes, strict=False)
            if outcome.outcome is Outcome.REJECTED
        ]
        _set_aside(shop, what, bad)
    return len(bad)


def _made(shop: Shop, what: str, item: Any) -> Any:
    speaks = shopify if shop.kind == Shop.Kind.SHOPIFY else woocommerce
    if what == "orders":
        return speaks.order_of(item, shop=shop.key)
    if what == "customers":
        return customer_of(shop, item)
    return _product(shop, item)


def _product(shop: Shop, item: Any) -> ProductIn:
    currency = currency_of(shop)
    if shop.kind == Shop.Kind.SHOPIFY:
        return shopify.product_of(item, currency=currency, address=shop.address)
    return woocommerce.product_of(item, currency=currency)


def _set_aside(shop: Shop, what: str, bad: list[tuple[Any, Trouble]]) -> None:
    topic, at = _TOPIC[Shop.Kind(shop.kind)][what], now()
    items = [
        NewQuarantined(orjson.dumps({"shop": shop.key, "topic": topic, "received_at": at, "body": item}), trouble)
        for item, trouble in bad
    ]
    quarantine_add(source=shop.key, kind=KIND, items=items)


def _remember(shop: Shop, what: str, state: dict[str, Any]) -> None:
    shop.backfill_state = {**shop.backfill_state, what: state}
    Shop.objects.filter(pk=shop.pk).update(backfill_state=shop.backfill_state)


def _json(answer: requests.Response) -> Any:
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError as error:
        raise ShopRefused("not_a_shop", "address") from error


def _list(answer: requests.Response, name: str) -> list[Any]:
    found = _json(answer)
    if name and isinstance(found, dict):
        found = found.get(name)
    if not isinstance(found, list):
        raise ShopRefused("not_a_shop", "address")
    return found
