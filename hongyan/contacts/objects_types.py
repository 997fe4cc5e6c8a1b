"""Kinds of custom objects: what they are called and which fields they have."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Max

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts import normalise
from hongyan.contacts.errors import DefinitionRefused, NormaliseProblem, ObjectTypeNotFound
from hongyan.contacts.models import ObjectRecord, ObjectType
from hongyan.contacts.objects_values import ObjectField, ObjectFieldType, fields_of
from hongyan.core.clock import now

CAP: Final = 50  # types in use
FIELDS_CAP: Final = 60  # of one type
OPTIONS_CAP: Final = 200
ICONS: Final = (
    "box", "book", "school", "certificate", "file-text", "contract", "device-mobile", "device-laptop", "car", "home",
    "building-store", "calendar-event", "ticket", "credit-card", "shield-check", "heart", "plane", "tool", "key",
    "star",
)  # fmt: skip
_KEY = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_TAKEN_TYPES = frozenset("contact contacts person people company order product event mail object objects types".split())  # noqa: SIM905
_TAKEN_FIELDS = frozenset("id type external_id contact title source created_at updated_at".split())  # noqa: SIM905


def object_type_create(
    *,
    actor: Actor,
    key: str,
    label_zh: str,
    label_en: str,
    fields: Sequence[Mapping[str, Any]],
    title_field: str = "",
    icon: str = "box",
) -> ObjectType:
    """fields: key, label_zh, label_en, type (``ObjectFieldType``), sensitive, options, currency.

    Raises DefinitionRefused naming the input at fault ("key", "fields.2.type").
    """
    actor.require(Permission.SETTINGS_EDIT)
    _check_key("key", key, _TAKEN_TYPES)
    made = _fields(fields)
    with transaction.atomic():
        if ObjectType.objects.filter(key=key).exists():
            raise DefinitionRefused("key", "key_taken")
        if ObjectType.objects.filter(archived_at=None).count() >= CAP:
            raise DefinitionRefused("key", "cap")
        last = ObjectType.objects.aggregate(last=Max("position"))["last"] or 0
        kind = ObjectType(key=key, position=last + 1)
        _describe(kind, label_zh, label_en, made, title_field, icon)
        kind.save()
        _audit(actor, "object_type.created", kind)
    return kind


def object_type_update(
    *,
    actor: Actor,
    key: str,
    label_zh: str,
    label_en: str,
    fields: Sequence[Mapping[str, Any]],
    title_field: str = "",
    icon: str = "box",
) -> ObjectType:
    """Keys of types and fields stay. A field in use keeps its type and its sensitivity, and cannot be left out; so do
    options in use. Raises DefinitionRefused, ObjectTypeNotFound."""
    actor.require(Permission.SETTINGS_EDIT)
    fresh = _fields(fields)
    with transaction.atomic():
        kind = ObjectType.objects.select_for_update().filter(key=key).first()
        if kind is None:
            raise ObjectTypeNotFound
        _check_values_in_use(kind, fresh)
        retitled = kind.title_field != title_field
        _describe(kind, label_zh, label_en, fresh, title_field, icon)
        kind.save()
        if retitled:
            _title_again(kind)
        _audit(actor, "object_type.changed", kind)
    return kind


def object_type_archive(*, actor: Actor, key: str, archived: bool = True) -> None:
    """An archived type takes no new values and is no longer shown; what people have of it stays."""
    actor.require(Permission.SETTINGS_EDIT)
    kind = object_type(key)
    kind.archived_at = now() if archived else None
    kind.save(update_fields=["archived_at"])
    _audit(actor, "object_type.archived" if archived else "object_type.restored", kind)


def object_types(*, archived: bool = False) -> list[ObjectType]:
    rows = ObjectType.objects.order_by("position", "id")
    return list(rows if archived else rows.filter(archived_at=None))


def object_type(key: str) -> ObjectType:
    """Archived ones too. Raises ObjectTypeNotFound."""
    found = ObjectType.objects.filter(key=key).first()
    if found is None:
        raise ObjectTypeNotFound
    return found


def object_counts(*, actor: Actor) -> dict[int, int]:
    """Type id → records."""
    actor.require(Permission.CONTACT_VIEW)
    return dict(ObjectRecord.objects.values_list("type_id").annotate(n=Count("id")).order_by())


def _describe(  # noqa: PLR0917
    kind: ObjectType, label_zh: str, label_en: str, fields: list[ObjectField], title_field: str, icon: str
) -> None:
    titles = {item.key for item in fields if not item.sensitive}
    if title_field and title_field not in titles:
        raise DefinitionRefused("title_field", "title_field")
    kind.label_zh = _label(label_zh or label_en, "label_zh")
    kind.label_en = _label(label_en or label_zh, "label_en")
    kind.icon = icon if icon in ICONS else "box"
    kind.title_field = title_field
    kind.fields = [item.as_json() for item in fields]


def _fields(given: Sequence[Mapping[str, Any]]) -> list[ObjectField]:
    if len(given) > FIELDS_CAP:
        raise DefinitionRefused("fields", "cap")
    made: list[ObjectField] = []
    for place, item in enumerate(given):
        at = f"fields.{place}"
        key = str(item.get("key", "")).strip()
        _check_key(f"{at}.key", key, _TAKEN_FIELDS)
        if any(other.key == key for other in made):
            raise DefinitionRefused(f"{at}.key", "key_taken")
        made.append(_field(at, key, item))
    return made


def _field(at: str, key: str, item: Mapping[str, Any]) -> ObjectField:
    try:
        kind = ObjectFieldType(str(item.get("type", "")))
    except ValueError as error:
        raise DefinitionRefused(f"{at}.type", "type") from error
    label_zh, label_en = str(item.get("label_zh") or ""), str(item.get("label_en") or "")
    currency = str(item.get("currency") or "").strip()
    try:
        currency = normalise.currency(currency or "CNY") if kind is ObjectFieldType.MONEY else ""
    except NormaliseProblem as problem:
        raise DefinitionRefused(f"{at}.currency", problem.code) from problem
    return ObjectField(
        key=key,
        label_zh=_label(label_zh or label_en or key, f"{at}.label_zh"),
        label_en=_label(label_en or label_zh or key, f"{at}.label_en"),
        type=kind,
        sensitive=bool(item.get("sensitive")),
        options=_options(at, item.get("options") or ()) if kind is ObjectFieldType.CHOICE else (),
        currency=currency,
    )


def _options(at: str, given: Sequence[Any]) -> tuple[dict[str, str], ...]:
    """A plain text is an option whose labels are the value."""
    shaped = [option if isinstance(option, Mapping) else {"value": str(option)} for option in given]
    try:
        fresh = tuple(
            {
                "value": normalise.line(str(option["value"]), limit=80),
                "label_zh": normalise.line(str(option.get("label_zh") or option["value"]), limit=80),
                "label_en": normalise.line(str(option.get("label_en") or option["value"]), limit=80),
            }
            for option in shaped
            if str(option.get("value") or "").strip()
        )
    except NormaliseProblem as problem:
        raise DefinitionRefused(f"{at}.options", problem.code) from problem
    values = [option["value"].casefold() for option in fresh]
    if not fresh or len(set(values)) != len(values) or len(fresh) > OPTIONS_CAP:
        raise DefinitionRefused(f"{at}.options", "options")
    return fresh


def _check_values_in_use(kind: ObjectType, fresh: list[ObjectField]) -> None:
    after = {item.key: item for item in fresh}
    for before in fields_of(kind):
        item = after.get(before.key)
        changed = item is None or item.type != before.type or item.sensitive != before.sensitive
        if changed and _used(kind, before):
            raise DefinitionRefused("fields", "object_field_used")
        if item is None or changed:
            continue
        dropped = {option["value"] for option in before.options} - {option["value"] for option in item.options}
        if any(_option_used(kind, before, value) for value in dropped):
            raise DefinitionRefused("fields", "option_used")


def _used(kind: ObjectType, item: ObjectField) -> bool:
    rows = ObjectRecord.objects.filter(type=kind)
    if item.sensitive:
        return rows.filter(filled__contains=[item.key]).exists()
    return rows.filter(attributes__has_key=item.key).exists()


def _option_used(kind: ObjectType, item: ObjectField, value: str) -> bool:
    if item.sensitive:
        return _used(kind, item)  # sealed: which option it is cannot be told without opening every row
    return ObjectRecord.objects.filter(type=kind, attributes__contains={item.key: value}).exists()


def _title_again(kind: ObjectType) -> None:
    from hongyan.contacts.objects_values import title_text

    item = next((item for item in fields_of(kind) if item.key == kind.title_field), None)
    batch: list[ObjectRecord] = []
    for row in ObjectRecord.objects.filter(type=kind).only("id", "attributes", "external_id", "title").iterator(2000):
        row.title = title_text(item, row.attributes, row.external_id)
        batch.append(row)
        if len(batch) == 2000:
            ObjectRecord.objects.bulk_update(batch, ["title"])
            batch.clear()
    ObjectRecord.objects.bulk_update(batch, ["title"])


def _check_key(field: str, key: str, taken: frozenset[str]) -> None:
    if len(key) > 40 or _KEY.fullmatch(key) is None:
        raise DefinitionRefused(field, "key_form")
    if key in taken:
        raise DefinitionRefused(field, "key_reserved")


def _label(text: str, field: str) -> str:
    try:
        label = normalise.line(text, limit=80)
    except NormaliseProblem as problem:
        raise DefinitionRefused(field, problem.code) from problem
    if not label:
        raise DefinitionRefused(field, "empty")
    return label


def _audit(actor: Actor, action: str, kind: ObjectType) -> None:
    data = {"fields": [item["key"] for item in kind.fields][:40]}
    record(actor=actor, action=action, subject_kind="object_type", subject_id=kind.key, data=data)
