"""What people call the properties of events that the specification and our own rooms write; others go by their keys.

The builder has the same words (frontend/src/audience/vocabulary.ts); a test holds them together.
"""

from collections.abc import Mapping
from typing import Final

from hongyan.audience.compiler.catalogue import Label

PROPERTIES: Final[Mapping[str, Label]] = {
    "amount": Label("amount", "金额"),
    "affiliation": Label("shop", "店铺"),
    "brand": Label("brand", "品牌"),
    "category": Label("category", "类别"),
    "coupon": Label("coupon", "优惠券"),
    "currency": Label("currency", "币种"),
    "discount": Label("discount", "折扣"),
    "link": Label("number of the link", "链接序号"),
    "machine": Label("machine or person", "机器或人"),
    "message_id": Label("number of the mail", "邮件编号"),
    "method": Label("way", "方式"),
    "name": Label("name", "名称"),
    "origin_id": Label("number of the origin", "来源编号"),
    "origin_kind": Label("campaign or journey", "来自活动或旅程"),
    "order_id": Label("order number", "订单号"),
    "path": Label("page path", "页面路径"),
    "price": Label("price", "单价"),
    "products": Label("products", "商品"),
    "products_count": Label("number of products", "商品件数"),
    "product_id": Label("product number", "商品编号"),
    "quantity": Label("quantity", "数量"),
    "query": Label("search words", "搜索词"),
    "revenue": Label("revenue", "收入"),
    "shipping": Label("shipping", "运费"),
    "sku": Label("SKU", "SKU"),
    "subject": Label("subject", "邮件主题"),
    "tax": Label("tax", "税费"),
    "title": Label("title", "标题"),
    "topic": Label("topic", "订阅主题"),
    "total": Label("total", "总额"),
    "total_minor": Label("total in minor units", "总额（最小单位）"),
    "url": Label("address", "网址"),
    "variant": Label("variant", "规格"),
    "value": Label("value", "价值"),
}
