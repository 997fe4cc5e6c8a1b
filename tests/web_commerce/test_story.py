"""One raw day of the real shop, in a browser: in by file, seen as orders, followed to the customer; both languages."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from hongyan.accounts.permissions import Role
from hongyan.commerce.models import Order
from hongyan.jobs.models import Job
from hongyan.jobs.runner import job_run
from tests.browser import OpenPage, axe_check
from tests.commerce.test_files import RAW_DAY

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("HONGYAN_TEST_SHOTS", "")  # a folder to keep pictures in, for people


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize(
    ("language", "theme", "width", "words"),
    [
        ("zh-hans", "light", 1440, ("上传", "没有问题，继续", "继续，进行试运行", "开始试运行", "导入", "查看订单")),
        ("en", "dark", 390, ("Upload", "Looks right, continue", "Continue to the trial run", "Start the trial run",
                             "Import", "See the orders")),
    ],
)  # fmt: skip
def test_a_raw_day_from_file_to_customer(
    open_page: OpenPage, language: str, theme: str, width: int, words: tuple[str, ...]
) -> None:
    upload, right, onward, begin, take, see = words
    page = open_page("/shop/", role=Role.ADMINISTRATOR, language=language, theme=theme, width=width)
    axe_check(page)
    shot(page, f"shop-empty-{language}")
    page.goto(page.url.rstrip("/") + "/import/")
    page.set_input_files("input[type=file]", str(RAW_DAY))
    axe_check(page)
    page.get_by_role("button", name=upload, exact=True).click()
    expect(page.locator("tbody")).to_contain_text("541425")
    page.get_by_role("link", name=right).click()
    expect(page.locator(".callout")).to_contain_text("Online Retail")
    axe_check(page)
    shot(page, f"shop-columns-{language}")
    page.get_by_role("button", name=onward).click()
    page.get_by_role("button", name=begin).click()
    _work(page, "order_import_dry_run")
    page.get_by_role("button", name=take, exact=True).click()
    _work(page, "order_import")
    page.get_by_role("link", name=see).click()
    expect(page.locator("tbody tr").first).to_be_visible()
    axe_check(page)
    shot(page, f"shop-orders-{language}")
    row = Order.objects.filter(kind="order").exclude(contact=None).order_by("-placed_at")[0]
    page.get_by_role("link", name=row.number, exact=True).click()
    expect(page.locator("h1")).to_contain_text(row.number)
    axe_check(page)
    shot(page, f"shop-order-{language}")
    assert row.contact is not None
    page.locator(f'main a[href="/contacts/{row.contact.public_id}/"]').first.click()
    expect(page).to_have_url(page.url.split("/contacts/")[0] + f"/contacts/{row.contact.public_id}/")
    shot(page, f"shop-customer-{language}")


def _work(page: Page, kind: str) -> None:
    """As the worker, once the page has asked for it."""
    expect(page.locator("progress").first).to_be_visible()
    job_run(job_id=Job.objects.get(kind=kind).pk)


@pytest.mark.parametrize(("language", "theme", "width"), [("zh-hans", "dark", 1440), ("en", "light", 390)])
def test_the_other_pages(open_page: OpenPage, language: str, theme: str, width: int) -> None:
    from hongyan.commerce.models import Product
    from hongyan.commerce.shops import shop_connect
    from hongyan.commerce.types import OrderKind, OrderState
    from tests.commerce.factory import ACTOR, line, order, put

    put(order("1001", line("tea", "2", "88.00"), currency="CNY"), order("1002", at=1))
    put(
        order("1001", line("tea", "3", "88.00"), currency="CNY"),
        order(
            "C9", line("tea", "-3", "88.00"), at=3, currency="CNY", kind=OrderKind.CREDIT, state=OrderState.CANCELLED
        ),
    )
    shop = shop_connect(actor=ACTOR, kind="woocommerce", address="https://tea.example", token="ck_x", secret="cs_x")
    page = open_page("/shop/", role=Role.ADMINISTRATOR, language=language, theme=theme, width=width)
    base = page.url
    for name, path in (
        ("order", f"orders/{Order.objects.get(number='1001').public_id}/"),
        ("credit", f"orders/{Order.objects.get(number='C9').public_id}/"),
        ("products", "products/"),
        ("product", f"products/{Product.objects.all()[0].public_id}/"),
        ("shops", "shops/"),
        ("shop-new", "shops/new/"),
        ("shop", f"shops/{shop.public_id}/"),
        ("privacy", "privacy/"),
        ("currency", "currency/"),
    ):
        page.goto(base + path)
        axe_check(page)
        shot(page, f"shop2-{name}-{language}")
