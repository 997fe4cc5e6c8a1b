"""The vocabulary of the builder: everything a condition may speak of, named in the reader's language."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from hongyan.accounts.types import Actor
from hongyan.audience.compiler.catalogue import (
    OPERATORS,
    Catalogue,
    EventSpec,
    FieldSpec,
    FieldType,
    Label,
    ObjectSpec,
    PropertySpec,
)
from hongyan.audience.models import Tag, TagGroup
from hongyan.audience.selectors import tag_tree
from hongyan.web.audiences.builder_examples import examples


def words_of(actor: Actor, catalogue: Catalogue, language: str, *, own: str = "") -> dict[str, Any]:
    """own: public id of the audience being edited, which cannot stand in itself."""
    return {
        "fields": [_field(spec, language) for spec in catalogue.fields.values()],
        "operators": {kind.value: [op.value for op in ops] for kind, ops in OPERATORS.items()},
        "tags": [
            {"value": tag.key, "label": _name(tag, language), "group": _name(group, language)}
            for group, tags in tag_tree(actor=actor)
            for tag in tags
        ],
        "tag_groups": _specs(catalogue.tag_groups, language),
        "lists": [{"value": spec.public_id, "label": spec.name} for spec in catalogue.lists.values()],
        "audiences": [
            {"value": spec.public_id, "label": spec.name}
            for spec in catalogue.audiences.values()
            if spec.public_id != own
        ],
        "events": [_event(spec, language) for spec in catalogue.events.values()],
        "objects": [_object(spec, language) for spec in catalogue.objects.values()],
        "channels": _labels(catalogue.channels, language),
        "topics": _labels(catalogue.topics, language),
        "states": _labels(catalogue.consent_states, language),
        "examples": examples(catalogue, language),
    }


def _field(spec: FieldSpec, language: str) -> dict[str, Any]:
    return {
        "key": spec.key,
        "label": spec.label.text(language),
        "type": spec.type.value,
        "group": spec.group,
        "suggests": spec.suggests,
        "coded": bool(spec.names),
        "choices": [{"value": choice.value, "label": choice.label.text(language)} for choice in spec.choices],
    }


# What a product of an order or a cart says of itself, by Segment's spec; the tracking plan does not look into lists.
_OF_PRODUCTS: Final = {
    "category": "text",
    "name": "text",
    "product_id": "text",
    "sku": "text",
    "brand": "text",
    "variant": "text",
    "price": "number",
    "quantity": "number",
}


def _event(spec: EventSpec, language: str) -> dict[str, Any]:
    known = None if spec.properties is None else [_property(item) for item in spec.properties.values()]
    products = (spec.properties or {}).get("products")
    if known is not None and products is not None and not products.sealed:
        known += [{"key": f"products[].{key}", "kinds": [kind]} for key, kind in _OF_PRODUCTS.items()]
    return {"value": spec.name, "label": spec.label.text(language), "properties": known}


def _property(spec: PropertySpec) -> dict[str, Any]:
    """Of what is sealed only presence can be asked, as of lists and objects: no kinds. What may be a time is asked as
    one first."""
    kinds = [] if spec.sealed else sorted((kind.value for kind in spec.kinds), key=lambda kind: (kind != "time", kind))
    return {"key": spec.key, "kinds": kinds}


def _object(spec: ObjectSpec, language: str) -> dict[str, Any]:
    fields = [
        {**_field(field, language), "key": key, "suggests": field.type is FieldType.TEXT}
        for key, field in spec.fields.items()
    ]
    return {"value": spec.key, "label": spec.label.text(language), "fields": fields}


class _Labelled(Protocol):
    @property
    def label(self) -> Label: ...


def _specs(specs: Mapping[str, _Labelled], language: str) -> list[dict[str, str]]:
    return [{"value": key, "label": spec.label.text(language)} for key, spec in specs.items()]


def _labels(labels: Mapping[str, Label], language: str) -> list[dict[str, str]]:
    return [{"value": key, "label": label.text(language)} for key, label in labels.items()]


def _name(thing: Tag | TagGroup, language: str) -> str:
    return Label(thing.name_en, thing.name_zh).text(language)
