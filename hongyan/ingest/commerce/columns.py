"""Which column of a file of orders or products is what: words over columns, Chinese and English, and the check of a
finished mapping. Pure."""

import hashlib
from collections.abc import Sequence

from hongyan.ingest import headers
from hongyan.ingest.commerce.types import FileOf, Layout
from hongyan.ingest.errors import MappingRefused
from hongyan.ingest.files.types import Row
from hongyan.ingest.types import Suggestion

ORDER_TARGETS = (
    "number", "placed_at", "updated_at", "state", "currency", "customer_id", "email", "phone", "full_name", "country",
    "city", "sku", "title", "variant", "quantity", "unit_price", "line_amount", "total", "discount", "shipping", "tax",
    "coupon",
)  # fmt: skip
PRODUCT_TARGETS = (
    "product_id", "sku", "title", "price", "currency", "category", "brand", "url", "image_url", "active",
)  # fmt: skip
LINE_TARGETS = frozenset({"sku", "title", "variant", "quantity", "unit_price", "line_amount"})
_SAMPLES = 5

_ORDER_WORDS = {
    "number": "invoice|invoiceno|invoice no|invoice number|order|order id|orderid|order no|order number|order_number|"
    "order name|name|transaction id|订单号|订单编号|订单id|订单|单号|发票号|流水号|交易号|訂單編號|訂單號",
    "placed_at": "invoicedate|invoice date|date|order date|order time|placed at|placed|created at|created|date created|"
    "purchase date|paid at|time|下单时间|订单时间|订单日期|下单日期|日期|时间|购买时间|付款时间|创建时间|下單時間",
    "updated_at": "updated at|updated|modified|date modified|last modified|更新时间|修改时间|最后修改",
    "state": "status|state|order status|financial status|payment status|状态|订单状态|付款状态|狀態",
    "currency": "currency|currency code|order currency|币种|货币|货币代码|幣別",
    "customer_id": "customerid|customer id|customer no|customer number|client id|user id|member id|buyer id|customer|"
    "客户编号|客户id|客户号|会员号|会员编号|会员id|用户id|用户编号|买家id|顾客编号",
    "email": "email|e mail|customer email|billing email|buyer email|contact email|email address|邮箱|电子邮箱|"
    "电子邮件|客户邮箱|买家邮箱|邮件地址",
    "phone": "phone|mobile|telephone|billing phone|customer phone|手机|手机号|手机号码|电话|联系电话|收货人手机|"
    "买家手机",
    "full_name": "customer name|buyer name|billing name|full name|client name|姓名|客户姓名|客户名称|收货人|收货人姓名|"
    "买家姓名|联系人",
    "country": "country|billing country|shipping country|country code|国家|国家地区|收货国家",
    "city": "city|billing city|shipping city|城市|收货城市",
    "sku": "stockcode|stock code|sku|item|item code|item sku|product sku|lineitem sku|article|article no|product code|"
    "product id|商品编码|商品编号|货号|商品货号|商品代码|sku编码|产品编号|商品id|商家编码",
    "title": "description|product|product name|item name|title|lineitem name|article name|item title|商品|商品名称|"
    "商品标题|产品名称|宝贝标题|品名|描述",
    "variant": "variant|option|options|size|规格|商品规格|型号|款式",
    "quantity": "quantity|qty|count|units|lineitem quantity|item quantity|数量|购买数量|商品数量|件数|數量",
    "unit_price": "unitprice|unit price|price|item price|lineitem price|price each|单价|商品单价|价格|售价|單價",
    "line_amount": "line total|line amount|amount|item total|subtotal|小计|商品金额|行金额|金额小计",
    "total": "total|order total|grand total|total price|total amount|总额|总价|订单金额|订单总额|实付金额|实付|"
    "应付金额|总金额|合计|實付金額",
    "discount": "discount|discount amount|total discount|优惠|优惠金额|折扣|折扣金额",
    "shipping": "shipping|shipping cost|shipping amount|freight|postage|delivery|运费|邮费|快递费|運費",
    "tax": "tax|taxes|vat|tax amount|total tax|税|税额|税费",
    "coupon": "coupon|coupon code|discount code|voucher|优惠券|优惠码|券码",
}
_PRODUCT_WORDS = {
    "product_id": "id|product id|productid|external id|item id|article no|商品id|商品编号|产品id|产品编号|编号",
    "sku": "sku|stockcode|stock code|product code|item code|variant sku|货号|商品编码|商品货号|商家编码|sku编码|条码",
    "title": "title|name|product|product name|description|商品名称|商品标题|名称|标题|品名|产品名称",
    "price": "price|unit price|unitprice|regular price|sale price|variant price|价格|单价|售价|零售价",
    "currency": "currency|currency code|币种|货币",
    "category": "category|categories|type|product type|product category|分类|类目|品类|商品分类",
    "brand": "brand|vendor|manufacturer|品牌|厂商|供应商",
    "url": "url|link|permalink|product url|page|链接|网址|商品链接|详情页",
    "image_url": "image|image url|image src|picture|photo|images|图片|主图|图片链接|图片地址",
    "active": "active|published|status|available|enabled|上架|在售|状态|是否上架",
}


def _index(words: dict[str, str]) -> dict[str, str]:
    return {headers.plain(name): target for target, names in words.items() for name in names.split("|")}


_BY_NAME = {FileOf.ORDERS: _index(_ORDER_WORDS), FileOf.PRODUCTS: _index(_PRODUCT_WORDS)}
_RETAIL = frozenset(
    map(headers.plain, ("InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"))
)


def targets(kind: str) -> tuple[str, ...]:
    return ORDER_TARGETS if kind == FileOf.ORDERS else PRODUCT_TARGETS


def layout_of(header: Sequence[str]) -> Layout:
    return Layout.ONLINE_RETAIL if {headers.plain(name) for name in header} >= _RETAIL else Layout.PLAIN


def suggest(
    kind: str, header: Sequence[str], rows: Sequence[Row], remembered: Sequence[str] | None = None
) -> list[Suggestion]:
    """One suggestion a column; no field twice."""
    by_name, known = _BY_NAME[FileOf(kind)], set(targets(kind))
    usable = remembered if remembered is not None and len(remembered) == len(header) else None
    taken: set[str] = set()
    found = []
    for column, name in enumerate(header):
        target = usable[column] if usable is not None else by_name.get(headers.plain(name), "")
        if target not in known or target in taken:
            target = ""
        taken.add(target)
        because = ("remembered" if usable is not None else "header") if target else ""
        cells = [cells[column] for _, cells in rows if isinstance(cells, list) and cells[column].strip()]
        samples = tuple(dict.fromkeys(cell[:80] for cell in cells))[:_SAMPLES]
        found.append(Suggestion(column, name, target, because, samples))
    return found


def check(kind: str, mapping: Sequence[str], *, width: int) -> None:
    """Raises MappingRefused at the first thing that is wrong."""
    if len(mapping) != width:
        raise MappingRefused("mapping_length", given=len(mapping), columns=width)
    used = [target for target in mapping if target]
    allowed = set(targets(kind))
    for target in used:
        if target not in allowed:
            raise MappingRefused("mapping_unknown", target=target[:64])
        if used.count(target) > 1:
            raise MappingRefused("mapping_twice", target=target)
    if not used:
        raise MappingRefused("mapping_empty")
    for wanted in needed(kind, used):
        raise MappingRefused("mapping_needs", target=wanted)


def needed(kind: str, used: Sequence[str]) -> list[str]:
    """What is still missing before the rows mean anything."""
    have = set(used)
    if kind == FileOf.PRODUCTS:
        return [] if have & {"product_id", "sku"} else ["sku"]
    missing = [name for name in ("number", "placed_at") if name not in have]
    if have & LINE_TARGETS:
        if not have & {"unit_price", "line_amount"}:
            missing.append("unit_price")
        if not have & {"sku", "title"}:
            missing.append("sku")
    elif "total" not in have:
        missing.append("total")
    return missing


def signature(kind: str, header: Sequence[str]) -> bytes | None:
    """Under which a mapping is remembered, apart from those of contacts."""
    names = [headers.plain(name) for name in header]
    return hashlib.sha256(f"{kind}\x1e{chr(31).join(names)}".encode()).digest() if any(names) else None
