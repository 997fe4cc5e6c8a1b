"""What can be asked of events and objects: names and labels, properties and their kinds, fields of custom objects."""

from collections.abc import Iterable, Mapping
from typing import Final

from django.utils.translation import gettext_noop

from hongyan.audience.catalogue_reads import Vocabulary
from hongyan.audience.compiler.catalogue import Choice, EventSpec, FieldSpec, FieldType, Label, ObjectSpec, PropertySpec
from hongyan.contacts.models import ObjectType
from hongyan.contacts.objects_values import ObjectField, ObjectFieldType, fields_of
from hongyan.core.money import exponent
from hongyan.events.models_catalogue import EventProperty

EVENTS: Final = {
    "email_sent": gettext_noop("received a mail"),
    "email_opened": gettext_noop("opened a mail"),
    "email_clicked": gettext_noop("clicked in a mail"),
    "email_bounced": gettext_noop("mail bounced"),
    "email_complained": gettext_noop("complained about a mail"),
    "email_unsubscribed": gettext_noop("unsubscribed"),
    "email_subscribed": gettext_noop("subscribed"),
    "page_viewed": gettext_noop("viewed a page"),
    "products_searched": gettext_noop("searched for products"),
    "product_viewed": gettext_noop("viewed a product"),
    "product_added": gettext_noop("put a product into the cart"),
    "checkout_started": gettext_noop("started the checkout"),
    "order_completed": gettext_noop("placed an order"),
    "order_cancelled": gettext_noop("cancelled an order"),
    "order_refunded": gettext_noop("returned an order"),
    "object_updated": gettext_noop("had an object changed"),
    "audience_entered": gettext_noop("entered an audience"),
    "audience_left": gettext_noop("left an audience"),
    "lifecycle_changed": gettext_noop("moved to another lifecycle stage"),
    "rfm_changed": gettext_noop("moved to another RFM tier"),
}
_T = FieldType
_TEXT: Final = frozenset({_T.TEXT})
_NUMBER: Final = frozenset({_T.NUMBER})
_LIST: Final[frozenset[FieldType]] = frozenset()
_MAIL: Final = {
    **dict.fromkeys(("origin_kind", "machine", "topic", "method"), _TEXT),
    **dict.fromkeys(("origin_id", "message_id", "link"), _NUMBER),
}
_PRODUCT: Final = {
    **dict.fromkeys(("product_id", "sku", "name", "category", "brand", "variant", "currency", "coupon", "url"), _TEXT),
    **dict.fromkeys(("price", "quantity", "position", "value"), _NUMBER),
}
_ORDER: Final = {
    **dict.fromkeys(("order_id", "currency", "coupon", "affiliation"), _TEXT),
    **dict.fromkeys(("total", "total_minor", "revenue", "shipping", "tax", "discount", "value"), _NUMBER),
    "products": _LIST,
}
_MOVED: Final = dict.fromkeys(("from", "to", "cause"), _TEXT)
# What the specification and our own rooms write under these names: may be asked before it was first seen.
STANDARD: Final[Mapping[str, Mapping[str, frozenset[FieldType]]]] = {
    **{name: _MAIL for name in EVENTS if name.startswith("email_")},
    **dict.fromkeys(("product_viewed", "product_added"), _PRODUCT),
    **dict.fromkeys(("checkout_started", "order_completed", "order_cancelled", "order_refunded"), _ORDER),
    "page_viewed": dict.fromkeys(("path", "url", "title", "referrer", "search", "name", "category"), _TEXT),
    "products_searched": {"query": _TEXT},
    "object_updated": {**dict.fromkeys(("type", "object", "act", "title"), _TEXT), "keys": _LIST},
    **dict.fromkeys(("audience_entered", "audience_left"), dict.fromkeys(("audience", "cause", "kind"), _TEXT)),
    "lifecycle_changed": _MOVED,
    "rfm_changed": {**_MOVED, **dict.fromkeys(("recency", "frequency", "monetary"), _NUMBER)},
}
_KINDS: Final = {
    EventProperty.Type.TEXT: _TEXT,
    EventProperty.Type.TIME: frozenset({_T.TIME, _T.TEXT}),  # in JSON a time is a text, and can be asked as one
    EventProperty.Type.NUMBER: _NUMBER,
    EventProperty.Type.BOOLEAN: frozenset({_T.BOOLEAN}),
}
_ANY: Final = frozenset[FieldType]().union(*_KINDS.values())
_FULL: Final = 300  # properties of one name that the tracking plan keeps; beyond them any may be asked


def event_specs(words: Vocabulary) -> dict[str, EventSpec]:
    """The vocabulary of mail and shop, and every other name that has ever been seen."""
    known = _properties(words)
    return {
        name: EventSpec(name, Label(EVENTS[name]) if name in EVENTS else Label(name, name), known.get(name))
        for name in dict.fromkeys((*EVENTS, *words.events, *known))
    }


def _properties(words: Vocabulary) -> dict[str, Mapping[str, PropertySpec] | None]:
    """By event. Of a name with more properties than the plan keeps nothing is known for certain."""
    found: dict[str, dict[str, PropertySpec]] = {}
    for name, said in sorted(words.properties, key=lambda row: row[1]["key"]):
        if said["handling"] == EventProperty.Handling.DROP:
            continue
        sealed = said["handling"] == EventProperty.Handling.SEAL
        kinds = _kinds(said["types"], said["type"])
        found.setdefault(name, {})[said["key"]] = PropertySpec(said["key"], kinds, sealed)
    return {name: None if len(there) >= _FULL else _standard(name) | there for name, there in found.items()}


def _standard(name: str) -> dict[str, PropertySpec]:
    return {key: PropertySpec(key, kinds) for key, kinds in STANDARD.get(name, {}).items()}


def _kinds(types: Mapping[str, int], declared: str) -> frozenset[FieldType]:
    """What is declared counts beside what was seen: facts of before the declaration are still there."""
    said: Iterable[str] = {*types, declared} - {""}
    if not said:
        return _ANY  # only ever null so far
    return frozenset[FieldType]().union(*(_KINDS.get(kind, _LIST) for kind in map(EventProperty.Type, said)))


# ——— custom objects

_FIELD_TYPES: Final = {
    ObjectFieldType.TEXT: _T.TEXT,
    ObjectFieldType.URL: _T.TEXT,
    ObjectFieldType.NUMBER: _T.NUMBER,
    ObjectFieldType.MONEY: _T.NUMBER,
    ObjectFieldType.BOOLEAN: _T.BOOLEAN,
    ObjectFieldType.DATE: _T.DATE,
    ObjectFieldType.DATETIME: _T.TIME,
    ObjectFieldType.CHOICE: _T.CHOICE,
}


def object_specs(words: Vocabulary) -> dict[str, ObjectSpec]:
    """Kinds of things people have; archived ones cannot be asked for. Amounts that name no currency are in the
    organisation's."""
    return {
        key: ObjectSpec(
            said["id"],
            key,
            Label(said["en"], said["zh"]),
            {item.key: _object_field(item, words.currency) for item in fields_of(ObjectType(fields=said["fields"]))},
        )
        for key, said in words.objects.items()
    }


def _object_field(item: ObjectField, home: str) -> FieldSpec:
    money = item.type is ObjectFieldType.MONEY
    currency = (item.currency or home) if money else ""
    return FieldSpec(
        key=item.key,
        type=_T.SEALED if item.sensitive else _FIELD_TYPES[item.type],
        label=Label(item.label_en, item.label_zh),
        attribute=item.key,
        choices=tuple(
            Choice(option["value"], Label(option.get("label_en", ""), option.get("label_zh", "")))
            for option in item.options
        ),
        group="object",
        digits=exponent(currency) if money and not item.sensitive else None,
        currency=currency,
    )
