"""Files of orders and products: recognised, tried out, taken whole or not at all, gone on with after a kill, and
reconciled to the last penny."""

import io
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from hongyan.commerce.models import Order, OrderLine, Product, Refund
from hongyan.commerce.types import LineKind, Missing, OrderKind
from hongyan.contacts.models import Contact
from hongyan.events.models import Event
from hongyan.ingest.commerce import columns, services
from hongyan.ingest.commerce.reconcile import comparison
from hongyan.ingest.commerce.runner import order_import_dry, order_import_run
from hongyan.ingest.commerce.types import Layout, OrderCounts
from hongyan.ingest.errors import FileRefused, MappingRefused
from hongyan.ingest.models import Import, ImportRejection
from hongyan.ingest.selectors import rejections
from hongyan.ingest.types import ImportState
from hongyan.jobs.runner import job_run
from tests.commerce.factory import ACTOR

pytestmark = pytest.mark.django_db
# A day as it comes from the real shop: a sale, its cancellation, a guest, a stock correction, charges, a bad debt.
RETAIL = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,WHITE HANGING HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
536365,71053,WHITE METAL LANTERN,6,2010-12-01 08:26:00,3.39,17850.0,United Kingdom
536365,71053,WHITE METAL LANTERN,6,2010-12-01 08:27:00,3.39,17850.0,United Kingdom
536365,POST,POSTAGE,1,2010-12-01 08:26:00,18.0,17850.0,United Kingdom
536370,22728,ALARM CLOCK,24,2010-12-01 08:45:00,3.75,,European Community
C536379,D,Discount,-1,2010-12-01 09:41:00,27.5,17850.0,United Kingdom
C536383,85123A,WHITE HANGING HEART,-6,2010-12-01 09:49:00,2.55,17850.0,United Kingdom
536400,22145,damaged,-30,2010-12-01 10:00:00,0.0,,United Kingdom
536401,BANK CHARGES,Bank Charges,1,2010-12-01 10:01:00,0.001,,United Kingdom
A563186,B,Adjust bad debt,1,2010-12-01 10:02:00,-11062.06,,United Kingdom
"""


def upload(data: str | bytes, name: str = "orders.csv", kind: str = "orders", **options: Any) -> Import:
    raw = data.encode() if isinstance(data, str) else data
    row = services.order_import_create(actor=ACTOR, file=io.BytesIO(raw), filename=name, kind=kind)
    if options:
        row = services.order_import_configure(actor=ACTOR, public_id=row.public_id, options=options)
    return row


def quiet(_done: int, _total: int | None) -> None:
    """No progress."""


def run(row: Import) -> OrderCounts:
    services.order_import_begin(actor=ACTOR, public_id=row.public_id)
    return order_import_run(row.pk, quiet)


def test_the_layout_is_recognised_and_every_kind_of_document_finds_its_place() -> None:
    row = upload(RETAIL)
    assert row.options["layout"] == Layout.ONLINE_RETAIL
    assert (row.options["currency"], row.options["zone"]) == ("GBP", "Europe/London")
    counts = run(row)
    assert (counts.orders, counts.credits, counts.adjustments, counts.rejected) == (3, 2, 2, 0)
    assert counts.missing == {Missing.NO_KEY: 4}
    sale = Order.objects.get(number="536365")
    assert (sale.lines_minor, sale.shipping_minor, sale.total_minor) == (1530 + 2034 + 2034, 1800, 7398)
    assert (sale.state, sale.refunded_minor) == ("partially_refunded", 1530)
    assert Order.objects.get(number="536400").kind == OrderKind.ADJUSTMENT
    assert OrderLine.objects.get(sku="D").kind == LineKind.DISCOUNT
    assert OrderLine.objects.get(sku="D").order.total_minor == -2750
    assert OrderLine.objects.get(sku="BANK CHARGES").unit_price == Decimal("0.001")
    assert set(Product.objects.values_list("sku", flat=True)) == {"85123A", "71053", "22728", "22145"}
    assert Product.objects.get(sku="22145").title == ""
    assert Refund.objects.get().order == sale
    assert Contact.objects.get().country == "GB"
    names = list(Event.objects.order_by("occurred_at").values_list("name", flat=True))
    assert names == ["order_completed", "order_cancelled", "order_cancelled"]


def test_file_and_tables_agree_and_differences_are_explained() -> None:
    counts = run(upload(RETAIL))
    lines = {line.name: line for line in comparison(counts)}
    assert lines["amount"].file == lines["amount"].kept == "-10,940.879"
    assert lines["booked"].kept == "-1,094,088"
    assert lines["duplicates"].file == "0"
    assert lines["duplicates"].kept == "1"
    assert lines["duplicates"].why
    assert all(line.same for name, line in lines.items() if name != "duplicates")


def test_the_same_file_twice_changes_nothing_and_a_trial_says_so() -> None:
    first = upload(RETAIL)
    trial = order_import_dry(first.pk, quiet)
    assert not Order.objects.exists()
    assert not Contact.objects.exists()
    counts = run(first)
    assert (
        (trial.created, trial.contacts, trial.missing)
        == (counts.created, counts.contacts, counts.missing)
        == (
            7,
            1,
            {"no_key": 4},
        )
    )
    before = list(OrderLine.objects.values())
    again = run(upload(RETAIL))
    assert (again.created, again.updated, again.unchanged) == (0, 0, 7)
    assert list(OrderLine.objects.values()) == before


def test_an_order_with_a_bad_row_is_left_out_whole() -> None:
    data = (
        "订单号,下单时间,邮箱,商品编码,商品名称,数量,单价\n"
        "1,2026-03-01 10:00,mei@example.com,tea,龙井,2,88.00\n"
        "2,2026-03-01 11:00,tom@example.com,tea,龙井,两,88.00\n"
        "1,2026-03-01 10:00,mei@example.com,cup,杯子,1,12.50\n"
        "2,2026-03-01 11:00,tom@example.com,cup,杯子,1,12.50\n"
        ",2026-03-01 11:00,tom@example.com,cup,杯子,1,12.50\n"
        "3,31/02/2026,tom@example.com,cup,杯子,1,12.50\n"
        "4,2026-03-02,a@example.com,cup,杯子,1,12.505\n"
        "5,2026-03-02,a@example.com,cup,杯子,1\n"
    )
    row = upload(data)
    assert row.mapping == ["number", "placed_at", "email", "sku", "title", "quantity", "unit_price"]
    assert row.options["currency"] == "CNY"
    counts = run(row)
    assert (counts.created, counts.rejected) == (2, 5)
    order = Order.objects.get(number="1")
    assert (order.total_minor, order.items) == (18850, 2)
    assert OrderLine.objects.get(order__number="4").amount_minor == 1250
    found, _more = rejections(actor=ACTOR, public_id=row.public_id)
    assert [(item.line, item.column, item.code, item.value) for item in found] == [
        (3, "数量", "number", "两"),
        (5, "", "order_incomplete", "2"),
        (6, "订单号", "id_missing", ""),
        (7, "下单时间", "date_range", "31/02/2026"),
        (9, "数量", "too_few_cells", "1"),
    ]


def test_one_row_may_be_a_whole_order() -> None:
    data = (
        "Order ID,Created at,Email,Financial Status,Currency,Shipping,Taxes,Discount Amount,Total\n"
        "#1,2026-03-01T10:00:00+08:00,mei@example.com,paid,JPY,0,120,0,1320\n"
        "#2,2026-03-01T10:00:00Z,tom@example.com,voided,KWD,0,0,0,1.234\n"
        "#3,2026-03-01T10:00:00Z,tom@example.com,paid,JPY,0,0,0,13.50\n"
    )
    row = upload(data)
    assert row.mapping == [
        "number", "placed_at", "email", "state", "currency", "shipping", "tax", "discount", "total",
    ]  # fmt: skip
    counts = run(row)
    assert (counts.created, counts.reasons) == (2, {"too_fine": 1})
    first = Order.objects.get(number="#1")
    assert (first.total_minor, first.currency, first.tax_minor, first.placed_at.hour) == (1320, "JPY", 120, 2)
    assert (Order.objects.get(number="#2").total_minor, Order.objects.get(number="#2").state) == (1234, "cancelled")


def test_rows_of_one_order_must_agree() -> None:
    data = (
        "order no,date,customer id,sku,qty,price\n"
        "1,2026-03-01,A,tea,1,1\n1,2026-03-01,B,tea,1,1\n2,2026-03-01,A,tea,1,1\n2,2026-03-01,,tea,1,1\n"
    )
    counts = run(upload(data))
    assert (counts.created, counts.reasons) == (1, {"customer_differs": 1, "order_incomplete": 1})


def test_a_workbook_and_a_parquet_file() -> None:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["订单号", "下单时间", "客户编号", "商品名称", "数量", "单价"])
    sheet.append([9001, "2026-03-01 10:00", 17850, "龙井", 2, 88.1])
    file = io.BytesIO()
    book.save(file)
    run(upload(file.getvalue(), "orders.xlsx"))
    assert Order.objects.get(number="9001").total_minor == 17620
    table = pa.table(
        {"InvoiceNo": ["7"], "StockCode": ["1"], "Description": [None], "Quantity": [3], "UnitPrice": [0.1]}
        | {"InvoiceDate": ["2026-03-01 10:00"], "CustomerID": [17850], "Country": ["EIRE"]}
    )
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    run(upload(sink.getvalue(), "orders.parquet"))
    assert Order.objects.get(number="7").total_minor == 30
    assert Contact.objects.count() == 1
    nested = io.BytesIO()
    parquet.write_table(pa.table({"a": [[1]]}), nested)
    for data in (nested.getvalue(), sink.getvalue()[:-9], b"PAR1" + bytes(40)):
        with pytest.raises(FileRefused):
            upload(data, "x.parquet")


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        (["number", "placed_at", "", ""], "mapping_needs"),
        (["number", "number", "sku", "unit_price"], "mapping_twice"),
        (["number", "placed_at", "sku", "password"], "mapping_unknown"),
        (["", "", "", ""], "mapping_empty"),
    ],
)
def test_a_mapping_that_means_nothing_is_refused(mapping: list[str], code: str) -> None:
    row = upload("order no,date,sku,price\n1,2026-01-01,a,1\n")
    with pytest.raises(MappingRefused) as refused:
        services.order_import_configure(actor=ACTOR, public_id=row.public_id, mapping=mapping)
    assert refused.value.code == code


def test_products() -> None:
    data = (
        "商品编号,商品名称,价格,分类,图片,是否上架\n"
        "p1,龙井,88.00,茶,https://shop.example/a.jpg,是\np2,杯子,x,器皿,,是\np3,壶,120,器皿,javascript:alert(1),否\n"
        "p4,罐,30,器皿,,下架\n"
    )
    row = upload(data, kind="products")
    assert row.mapping == ["product_id", "title", "price", "category", "image_url", "active"]
    counts = run(row)
    assert (counts.created, counts.reasons) == (2, {"number": 1, "url": 1})
    tea = Product.objects.get(external_id="p1")
    assert (tea.price_minor, tea.currency, tea.category, tea.active) == (8800, "CNY", "茶", True)
    assert not Product.objects.get(external_id="p4").active
    assert run(upload(data, kind="products")).unchanged == 2


def test_a_remembered_mapping_comes_back() -> None:
    row = upload("a,b,c,d\n1,2026-01-01,tea,1\n")
    assert row.mapping == ["", "", "", ""]
    targets = ["number", "placed_at", "sku", "unit_price"]
    services.order_import_configure(actor=ACTOR, public_id=row.public_id, mapping=targets, options={"source": "till"})
    run(row)
    again = upload("a,b,c,d\n2,2026-01-01,tea,1\n")
    assert (again.mapping, again.options["source"]) == (targets, "till")


def test_by_job_with_cancel() -> None:
    row = upload(RETAIL)
    services.order_import_dry_run(actor=ACTOR, public_id=row.public_id)
    row.refresh_from_db()
    assert row.dry_job is not None
    job_run(job_id=row.dry_job.pk)
    job = services.order_import_start(actor=ACTOR, public_id=row.public_id)
    job_run(job_id=job.pk)
    row.refresh_from_db()
    assert (row.state, row.counts["created"], ImportRejection.objects.count()) == (ImportState.FINISHED, 7, 0)


def test_headers_of_usual_shops_are_understood() -> None:
    header = [
        "订单编号",
        "订单状态",
        "付款时间",
        "买家姓名",
        "手机号",
        "商品标题",
        "规格",
        "购买数量",
        "商品单价",
        "运费",
        "实付金额",
    ]
    found = [item.target for item in columns.suggest("orders", header, ())]
    assert found == [
        "number", "state", "placed_at", "full_name", "phone", "title", "variant", "quantity", "unit_price", "shipping",
        "total",
    ]  # fmt: skip


RAW_DAY = Path(__file__).parent / "data" / "online_retail_2011-01-18.csv"


def test_a_raw_day_of_the_real_shop_reconciles() -> None:
    row = upload(RAW_DAY.read_bytes(), RAW_DAY.name)
    counts = run(row)
    rows = RAW_DAY.read_text().count("\n") - 1
    assert (counts.rows, counts.lines, counts.rejected) == (rows, rows, 0)
    assert {line.name for line in comparison(counts) if not line.same} <= {"duplicates"}
    assert Order.objects.filter(kind=OrderKind.CREDIT).count() == counts.file["credits"] > 0
    assert Order.objects.filter(contact=None).exclude(missing="").count() == sum(counts.missing.values())


@pytest.mark.fault
@pytest.mark.django_db(transaction=True)
def test_killed_between_batches_it_goes_on_and_doubles_nothing() -> None:
    rows = [f"{number},2026-03-01 10:00,{number % 50},tea,1,1.00" for number in range(1500)]
    row = upload("order no,date,customer id,sku,qty,price\n" + "\n".join(rows) + "\n")
    services.order_import_begin(actor=ACTOR, public_id=row.public_id)
    program = (
        "import django; django.setup();"
        "from hongyan.ingest.commerce.runner import order_import_run;"
        f"order_import_run({row.pk}, lambda done, total: None)"
    )
    settings = {"DJANGO_SETTINGS_MODULE": "tests.settings", "HONGYAN_FAULT_ORDERS_KILL_AT": "2"}
    from django.db import connection

    name = connection.settings_dict["NAME"]
    code = f"from django.conf import settings; settings.DATABASES['default']['NAME']={name!r};" + program
    died = subprocess.run([sys.executable, "-c", code], env={**os.environ, **settings}, check=False)
    assert died.returncode == -signal.SIGKILL
    row.refresh_from_db()
    assert (row.chunk, Order.objects.count()) == (2, 1200)
    counts = order_import_run(row.pk, quiet)
    assert (counts.created, counts.rows, Order.objects.count(), OrderLine.objects.count()) == (1500, 1500, 1500, 1500)
    assert Event.objects.count() == 1500
