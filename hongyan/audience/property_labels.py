"""What people call the properties of events that the specification and our own rooms write; others go by their keys.

The builder has the same words (frontend/src/audience/vocabulary.ts); a test holds them together.
"""

from collections.abc import Mapping
from typing import Final

from hongyan.audience.compiler.catalogue import Label

PROPERTIES: Final[Mapping[str, Label]] = {
    "affiliation": Label("shop", "店铺"),
    "amount": Label("amount", "金额"),
    "app_name": Label("app", "应用"),
    "app_version": Label("version of the app", "应用版本"),
    "brand": Label("brand", "品牌"),
    "category": Label("category", "类别"),
    "coupon": Label("coupon", "优惠券"),
    "currency": Label("currency", "币种"),
    "device_type": Label("kind of device", "设备类型"),
    "discount": Label("discount", "折扣"),
    "link": Label("number of the link", "链接序号"),
    "locale": Label("language of the device", "设备语言"),
    "machine": Label("machine or person", "机器或人"),
    "message_id": Label("number of the mail", "邮件编号"),
    "method": Label("way", "方式"),
    "name": Label("name", "名称"),
    "order_id": Label("order number", "订单号"),
    "origin_id": Label("number of the origin", "来源编号"),
    "origin_kind": Label("campaign or journey", "来自活动或旅程"),
    "os_name": Label("operating system", "操作系统"),
    "page_path": Label("path of the page it happened on", "所在页面路径"),
    "page_referrer": Label("page before that", "上一页面"),
    "page_search": Label("search part of the address", "网址查询串"),
    "page_title": Label("title of the page it happened on", "所在页面标题"),
    "page_url": Label("address of the page it happened on", "所在页面网址"),
    "path": Label("page path", "页面路径"),
    "price": Label("price", "单价"),
    "product_id": Label("product number", "商品编号"),
    "products": Label("products", "商品"),
    "products_count": Label("number of products", "商品件数"),
    "quantity": Label("quantity", "数量"),
    "query": Label("search words", "搜索词"),
    "revenue": Label("revenue", "收入"),
    "shipping": Label("shipping", "运费"),
    "sku": Label("SKU", "SKU"),
    "subject": Label("subject", "邮件主题"),
    "tax": Label("tax", "税费"),
    "timezone": Label("time zone of the device", "设备时区"),
    "title": Label("title", "标题"),
    "topic": Label("topic", "订阅主题"),
    "total": Label("total", "总额"),
    "total_minor": Label("total in minor units", "总额（最小单位）"),
    "url": Label("address", "网址"),
    "utm_campaign": Label("UTM campaign", "UTM 活动"),
    "utm_content": Label("UTM content", "UTM 内容"),
    "utm_medium": Label("UTM medium", "UTM 媒介"),
    "utm_source": Label("UTM source", "UTM 来源"),
    "utm_term": Label("UTM term", "UTM 关键词"),
    "value": Label("value", "价值"),
    "variant": Label("variant", "规格"),
}
