"""The fields people have defined themselves, as merge fields."""

from django.utils.translation import get_language

from hongyan.contacts.models import FieldDefinition
from hongyan.content.catalogue import MergeField

_EXAMPLES = {
    FieldDefinition.Type.NUMBER.value: "128",
    FieldDefinition.Type.BOOLEAN.value: "true",
    FieldDefinition.Type.DATE.value: "2026-12-31",
    FieldDefinition.Type.DATETIME.value: "2026-12-31 18:00",
    FieldDefinition.Type.URL.value: "https://shop.example/me",
}


def custom_fields() -> dict[str, MergeField]:
    chinese = (get_language() or "zh").startswith("zh")
    return {
        f"contact.fields.{definition.key}": MergeField(
            path=f"contact.fields.{definition.key}",
            label=(definition.label_zh if chinese else definition.label_en) or definition.key,
            group="custom",
            example=_EXAMPLES.get(definition.type, definition.label_zh),
            identifying=definition.sensitive,
        )
        for definition in FieldDefinition.objects.filter(archived_at=None).order_by("position", "key")
    }
