# ruff: noqa: E501 - words of one field on a line

"""What a column of a source may become, by target, and a first guess. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hongyan.ingest import headers
from hongyan.ingest import mapping as mappings
from hongyan.ingest.files.types import Row
from hongyan.ingest.sources.errors import SourceRefused
from hongyan.ingest.sources.reading.base import text
from hongyan.ingest.sources.types import Record, Target

PROPERTY, FIELD = "property:", "field:"
_PERSON = {
    "email": headers.NAMES["email"] + "|customer email|buyer email|billing email",
    "phone": headers.NAMES["phone"] + "|customer phone|buyer phone|billing phone",
}
_TIME = "occurred at|timestamp|time|date|created at|created|event time|happened at|时间|发生时间|创建时间|日期"
_FIELDS: dict[Target, dict[str, str]] = {
    Target.ORDERS: {
        "external_id": "id|order id|order no|order number|订单id|订单号|订单编号",
        "number": "number|name|order name|单号",
        "placed_at": "placed at|created at|order date|ordered at|date|created|date created|下单时间|创建时间|订单时间|日期",
        "updated_at": "updated at|modified at|date modified|last modified|更新时间|修改时间",
        "state": "state|status|order status|financial status|状态|订单状态",
        "currency": "currency|currency code|币种|货币",
        "total": "total|total price|grand total|amount|order total|总价|总金额|金额|实付金额|订单金额",
        "discount": "discount|total discounts|discount total|优惠|折扣",
        "shipping": "shipping|shipping total|freight|运费",
        "tax": "tax|total tax|税|税费",
        "coupon": "coupon|coupon code|discount code|优惠码",
        "lines": "lines|line items|items|products|商品|明细|商品明细",
        "customer_id": "customer id|customer|user id|member id|buyer id|客户id|会员id|用户id|客户编号",
        **_PERSON,
        "full_name": headers.NAMES["full_name"] + "|customer name|buyer name",
        "country": headers.NAMES["country"],
        "city": headers.NAMES["city"],
    },
    Target.PRODUCTS: {
        "external_id": "id|product id|item id|商品id|产品id|商品编号",
        "sku": "sku|code|product code|货号|编码",
        "title": "title|name|product|product name|名称|商品名称|产品名称|标题",
        "url": "url|link|permalink|product url|链接",
        "image_url": "image|image url|picture|image link|图片|图片链接",
        "category": "category|product type|type|分类|类目|品类",
        "brand": "brand|vendor|manufacturer|品牌",
        "currency": "currency|币种|货币",
        "price": "price|unit price|价格|单价|售价",
        "updated_at": "updated at|modified at|更新时间|修改时间",
    },
    Target.EVENTS: {
        "email": _PERSON["email"],
        "phone": _PERSON["phone"],
        "external_id": "user id|userid|customer id|customerid|member id|contact id|external id|客户id|会员id|用户id|客户编号",
        "name": "event|event name|name|action|type|事件|事件名称|行为",
        "occurred_at": _TIME,
        "message_id": "id|message id|event id|uuid|消息id|事件id",
    },
    Target.OBJECTS: {
        "object_id": "id|object id|number|no|编号",
        "external_id": "user id|userid|customer id|customerid|member id|contact id|客户id|会员id|用户id|客户编号",
        **_PERSON,
    },
}
_NEEDED: dict[Target, tuple[tuple[str, ...], ...]] = {
    Target.CONTACTS: (),
    Target.ORDERS: (("external_id",), ("placed_at",)),
    Target.PRODUCTS: (("external_id",),),
    Target.EVENTS: (("email", "phone", "external_id"), ("occurred_at",)),
    Target.OBJECTS: (("object_id",),),
}


@dataclass(frozen=True, slots=True)
class Extra:
    """Fields that differ between installations. custom: key → label of contact fields; object_fields: of the object."""

    custom: Mapping[str, str]
    object_fields: Mapping[str, str]


def fields_of(target: Target, extra: Extra) -> list[str]:
    if target is Target.CONTACTS:
        return [*mappings.STANDARD, *(mappings.CUSTOM + key for key in extra.custom)]
    listed = list(_FIELDS[target])
    return listed + [FIELD + key for key in extra.object_fields] if target is Target.OBJECTS else listed


def suggest(target: Target, columns: Sequence[str], records: Sequence[Record], extra: Extra) -> dict[str, str]:
    """column → field, "" for what is left out; no field twice."""
    if target is Target.CONTACTS:
        rows: list[Row] = [
            (place, [text(record.get(name)) for name in columns]) for place, record in enumerate(records)
        ]
        plain = [name.rpartition(".")[2] if "." in name else name for name in columns]
        found = mappings.suggest(plain, rows, custom=extra.custom)
        return {name: item.target for name, item in zip(columns, found, strict=True)}
    names = {headers.plain(word): field for field, words in _FIELDS[target].items() for word in words.split("|")}
    if target is Target.OBJECTS:
        names |= {
            headers.plain(word): FIELD + key for key, label in extra.object_fields.items() for word in (key, label)
        }
    mapping: dict[str, str] = {}
    for name in columns:
        field = names.get(headers.plain(name)) or names.get(headers.plain(name.rpartition(".")[2])) or ""
        mapping[name] = field if field not in mapping.values() else ""
        if not mapping[name] and target is Target.EVENTS:
            mapping[name] = PROPERTY + property_name(name)
    return mapping


def property_name(column: str) -> str:
    return column.strip().replace(" ", "_")[:80]


def check(target: Target, mapping: Mapping[str, str], extra: Extra, *, match_on: str, event_name: str = "") -> None:
    """Raises SourceRefused at the first thing that is wrong."""
    used = [field for field in mapping.values() if field]
    allowed = set(fields_of(target, extra))
    for field in used:
        if field not in allowed and not (target is Target.EVENTS and field.startswith(PROPERTY)):
            raise SourceRefused("mapping_unknown", target=field[:64])
        if used.count(field) > 1:
            raise SourceRefused("mapping_twice", target=field)
    if not used:
        raise SourceRefused("mapping_empty")
    if target is Target.CONTACTS and match_on not in used:
        raise SourceRefused("mapping_no_key", target=match_on)
    for choice in _NEEDED[target]:
        if not set(choice) & set(used):
            raise SourceRefused("mapping_needs", target=choice[0])
    if target is Target.ORDERS and not {"total", "lines"} & set(used):
        raise SourceRefused("mapping_needs", target="total")
    if target is Target.EVENTS and "name" not in used and not event_name.strip():
        raise SourceRefused("mapping_needs", target="name")
