"""Custom objects as people read them."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from hongyan.contacts.models import ObjectType
from hongyan.contacts.objects_selectors import ObjectRow
from hongyan.contacts.objects_values import ObjectField, ObjectFieldType, fields_of, money_text
from hongyan.web import figures
from hongyan.web.contacts.common import language

TYPES: dict[str, Promise] = {
    "text": pgettext_lazy("field type", "Text"),
    "number": pgettext_lazy("field type", "Number"),
    "money": pgettext_lazy("field type", "Money"),
    "boolean": pgettext_lazy("field type", "Yes or no"),
    "date": pgettext_lazy("field type", "Date"),
    "datetime": pgettext_lazy("field type", "Date and time"),
    "choice": pgettext_lazy("field type", "Choice"),
    "url": gettext_lazy("Web address"),
}


def label_of(kind: ObjectType) -> str:
    return kind.label_zh if language() == "zh-hans" else kind.label_en


def named(kind: ObjectType, row: ObjectRow) -> ObjectRow:
    """With its title in the reader's language, where that is a choice, a date or yes and no; kept it is in one only."""
    item = next((found for found in fields_of(kind) if found.key == kind.title_field), None)
    if item is None or item.sensitive or item.type is ObjectFieldType.TEXT:
        return row
    return replace(row, title=value_text(item, row.values.get(item.key)) or row.title)


def value_text(item: ObjectField, value: Any) -> str:
    """ "" for nothing; sensitive values are texts already (or stars)."""
    if value in (None, ""):
        return ""
    if item.type is ObjectFieldType.MONEY:
        return money_text(value) or str(value)
    if isinstance(value, bool) or (item.type is ObjectFieldType.BOOLEAN and value in {"true", "false"}):
        return _("Yes") if value in {True, "true"} else _("No")
    if item.type is ObjectFieldType.NUMBER and isinstance(value, (int, float)):
        return figures.number(value)
    if item.type is ObjectFieldType.CHOICE:
        key = "label_zh" if language() == "zh-hans" else "label_en"
        return next((option[key] for option in item.options if option["value"] == value), str(value))
    return _time_text(item, str(value))


def _time_text(item: ObjectField, text: str) -> str:
    try:
        if item.type is ObjectFieldType.DATE:
            return figures.day(date.fromisoformat(text))
        if item.type is ObjectFieldType.DATETIME:
            return figures.moment(datetime.fromisoformat(text))
    except ValueError:
        pass
    return text
