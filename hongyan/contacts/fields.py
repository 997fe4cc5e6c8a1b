"""Custom fields: their definitions, and values of their types."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from django.db import connection, transaction
from django.db.models import Max

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts import normalise
from hongyan.contacts.errors import DefinitionRefused, NormaliseProblem
from hongyan.contacts.models import FieldDefinition
from hongyan.contacts.types import IDENTITY_FIELDS, PLAIN_FIELDS
from hongyan.core.clock import now
from hongyan.core.sql import statement

CAP: Final = 200  # definitions that are not archived; also bounds what one import or form can carry
OPTIONS_CAP: Final = 500
TEXT_LIMIT: Final = 500
_KEY = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
RESERVED: Final = frozenset(
    {*IDENTITY_FIELDS, *PLAIN_FIELDS}
    | set(
        (
            "id public_id contact contact_id sealed filled attributes provenance source owner owner_id "
            "is_demo created_at updated_at last_activity_at email_domain birth_month birth_day has_email "
            "has_phone search_tokens consent consents consent_status tags tag list lists segment segments "
            "audience topic topics password secret token name first_name last_name surname extra custom "
            "field fields all any not null true false none everyone unsubscribe preferences campaign sender "
            "now today event events score tenant tenant_id role permissions"
        ).split()
    )
)
Type = FieldDefinition.Type


def field_create(
    *,
    actor: Actor,
    key: str,
    label_zh: str,
    label_en: str,
    type: str,  # noqa: A002  # the word of the interface
    sensitive: bool = False,
    options: Sequence[Mapping[str, str]] = (),
) -> FieldDefinition:
    """Raises DefinitionRefused naming the input at fault."""
    actor.require(Permission.SETTINGS_EDIT)
    _check_key(key)
    kind = _type(type)
    with transaction.atomic():
        if FieldDefinition.objects.filter(key=key).exists():
            raise DefinitionRefused("key", "key_taken")
        if FieldDefinition.objects.filter(archived_at=None).count() >= CAP:
            raise DefinitionRefused("key", "cap")
        last = FieldDefinition.objects.aggregate(last=Max("position"))["last"] or 0
        definition = FieldDefinition.objects.create(
            key=key,
            label_zh=_label(label_zh or label_en, "label_zh"),
            label_en=_label(label_en or label_zh, "label_en"),
            type=kind,
            sensitive=sensitive,
            options=_options(kind, options),
            position=last + 1,
        )
        _audit(actor, "field.created", definition)
    return definition


def field_update(
    *,
    actor: Actor,
    definition: FieldDefinition,
    label_zh: str,
    label_en: str,
    type: str,  # noqa: A002
    sensitive: bool,
    options: Sequence[Mapping[str, str]] = (),
) -> FieldDefinition:
    """The key never changes: mails and audiences speak of it. Type, sensitivity and options in use are guarded by the
    values that exist."""
    actor.require(Permission.SETTINGS_EDIT)
    kind = _type(type)
    fresh = _options(kind, options)
    with transaction.atomic():
        definition = FieldDefinition.objects.select_for_update().get(pk=definition.pk)
        if kind != definition.type and has_values(definition):
            raise DefinitionRefused("type", "retype")
        if sensitive != definition.sensitive and has_values(definition):
            raise DefinitionRefused("sensitive", "resensitive")
        dropped = {option["value"] for option in definition.options} - {option["value"] for option in fresh}
        if any(_option_used(definition, value) for value in dropped):
            raise DefinitionRefused("options", "option_used")
        definition.label_zh = _label(label_zh or label_en, "label_zh")
        definition.label_en = _label(label_en or label_zh, "label_en")
        definition.type, definition.sensitive, definition.options = kind, sensitive, fresh
        definition.save()
        _audit(actor, "field.changed", definition)
    return definition


def field_archive(*, actor: Actor, definition: FieldDefinition, archived: bool = True) -> None:
    """An archived field is no longer offered; its values stay and come back when it is restored."""
    actor.require(Permission.SETTINGS_EDIT)
    definition.archived_at = now() if archived else None
    definition.save(update_fields=["archived_at"])
    _audit(actor, "field.archived" if archived else "field.restored", definition)


def field_move(*, actor: Actor, definition: FieldDefinition, up: bool) -> None:
    actor.require(Permission.SETTINGS_EDIT)
    with transaction.atomic():
        rows = list(FieldDefinition.objects.select_for_update().order_by("position", "id"))
        place = next(index for index, row in enumerate(rows) if row.pk == definition.pk)
        other = place - 1 if up else place + 1
        if 0 <= other < len(rows):
            rows[place], rows[other] = rows[other], rows[place]
        for position, row in enumerate(rows):
            row.position = position
        FieldDefinition.objects.bulk_update(rows, ["position"])


def definitions(*, archived: bool = False) -> list[FieldDefinition]:
    rows = FieldDefinition.objects.order_by("position", "id")
    return list(rows if archived else rows.filter(archived_at=None))


def has_values(definition: FieldDefinition) -> bool:
    name = "sensitive_field_used" if definition.sensitive else "field_used"
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.contacts", "contacts.sql", name), {"key": definition.key})
        row = cursor.fetchone()
    return bool(row and row[0])


def typed(definition: FieldDefinition, value: Any, *, zone: str = "UTC") -> Any:
    """A raw value in the JSON form of its type; None when it is empty. Raises NormaliseProblem.

    number: int or float; boolean: bool; date, datetime: ISO 8601 text; choices: list of texts; others: text.
    """
    if value is None or value in ("", []):
        return None
    kind = Type(definition.type)
    if kind is Type.BOOLEAN and isinstance(value, bool):
        return value
    if kind is Type.CHOICES:
        parts = value if isinstance(value, (list, tuple)) else re.split(r"[,;，；、|]", str(value))
        chosen = [_choice(definition, str(part)) for part in parts if str(part).strip()]
        return list(dict.fromkeys(chosen)) or None
    if isinstance(value, (bool, list, tuple, dict)):
        raise NormaliseProblem("type_mismatch")
    text = normalise.line(str(value), limit=5000)
    return _parsed(definition, kind, text, zone) if text else None


def _parsed(definition: FieldDefinition, kind: Type, text: str, zone: str) -> Any:
    if kind is Type.NUMBER:
        number = normalise.number(text)
        return int(number) if number == number.to_integral_value() else float(number)
    if kind is Type.BOOLEAN:
        return normalise.boolean(text)
    if kind is Type.DATE:
        return normalise.date(text).isoformat()
    if kind is Type.DATETIME:
        return normalise.moment(text, zone=zone).isoformat()
    if kind is Type.CHOICE:
        return _choice(definition, text)
    if kind is Type.URL:
        return normalise.url(text)
    return normalise.line(text, limit=TEXT_LIMIT)


def _choice(definition: FieldDefinition, text: str) -> str:
    options = [
        (option["value"], (option.get("label_zh", ""), option.get("label_en", ""))) for option in definition.options
    ]
    return normalise.choice(text, options)


def _check_key(key: str) -> None:
    if len(key) > 40 or _KEY.fullmatch(key) is None:
        raise DefinitionRefused("key", "key_form")
    if key in RESERVED:
        raise DefinitionRefused("key", "key_reserved")


def _type(kind: str) -> Type:
    try:
        return Type(kind)
    except ValueError as error:
        raise DefinitionRefused("type", "type") from error


def _label(text: str, field: str) -> str:
    try:
        label = normalise.line(text, limit=80)
    except NormaliseProblem as problem:
        raise DefinitionRefused(field, problem.code) from problem
    if not label:
        raise DefinitionRefused(field, "empty")
    return label


def _options(kind: Type, options: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    if kind not in {Type.CHOICE, Type.CHOICES}:
        return []
    fresh = [
        {
            "value": normalise.line(option["value"], limit=80),
            "label_zh": normalise.line(option.get("label_zh") or option["value"], limit=80),
            "label_en": normalise.line(option.get("label_en") or option["value"], limit=80),
        }
        for option in options
        if option.get("value", "").strip()
    ]
    values = [option["value"].casefold() for option in fresh]
    if not fresh or len(set(values)) != len(values) or len(fresh) > OPTIONS_CAP:
        raise DefinitionRefused("options", "options")
    return fresh


def _option_used(definition: FieldDefinition, value: str) -> bool:
    if definition.sensitive:
        return has_values(definition)  # blind: which option it is cannot be told without opening every blob
    probe: Any = [value] if definition.type == Type.CHOICES else value
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.contacts", "contacts.sql", "value_used"),
            {"part": _json({definition.key: probe})},
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _audit(actor: Actor, action: str, definition: FieldDefinition) -> None:
    record(
        actor=actor,
        action=action,
        subject_kind="field",
        subject_id=definition.key,
        data={"type": definition.type, "sensitive": definition.sensitive},
    )
