"""Topics people subscribe to."""

import re

from django.db import transaction
from django.db.models import Max, ProtectedError
from django.utils.translation import get_language

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts import normalise
from hongyan.contacts.errors import DefinitionRefused, NormaliseProblem
from hongyan.contacts.models import Topic

_KEY = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


def topic_save(
    *,
    actor: Actor,
    topic: Topic | None = None,
    key: str = "",
    name_zh: str,
    name_en: str,
    about_zh: str = "",
    about_en: str = "",
    legal_class: str,
    active: bool = True,
) -> Topic:
    """Creates (topic None) or changes one; the key never changes. Raises DefinitionRefused."""
    actor.require(Permission.SETTINGS_EDIT)
    row = topic or Topic(key=_key(key), position=(Topic.objects.aggregate(last=Max("position"))["last"] or 0) + 1)
    row.name_zh, row.name_en = _text(name_zh or name_en, "name_zh"), _text(name_en or name_zh, "name_en")
    row.about_zh, row.about_en = _text(about_zh, "about_zh", 300), _text(about_en, "about_en", 300)
    if not row.name_zh:
        raise DefinitionRefused("name_zh", "empty")
    if legal_class not in Topic.LegalClass.values:
        raise DefinitionRefused("legal_class", "type")
    row.legal_class, row.active = legal_class, active
    with transaction.atomic():
        row.save()
        record(
            actor=actor,
            action="topic.changed" if topic else "topic.created",
            subject_kind="topic",
            subject_id=row.key,
            data={"legal_class": legal_class, "active": active},
        )
    return row


def topic_move(*, actor: Actor, topic: Topic, up: bool) -> None:
    """The order in which people read them on forms and in the preference centre."""
    actor.require(Permission.SETTINGS_EDIT)
    with transaction.atomic():
        rows = list(Topic.objects.select_for_update().order_by("position", "id"))
        place = next(index for index, row in enumerate(rows) if row.pk == topic.pk)
        other = place - 1 if up else place + 1
        if 0 <= other < len(rows):
            rows[place], rows[other] = rows[other], rows[place]
        for position, row in enumerate(rows):
            row.position = position
        Topic.objects.bulk_update(rows, ["position"])


def topic_delete(*, actor: Actor, topic: Topic) -> None:
    """Only a topic nobody ever spoke about; others are made inactive, their consent history stays readable."""
    actor.require(Permission.SETTINGS_EDIT)
    key = topic.key
    try:
        with transaction.atomic():
            topic.delete()
            record(actor=actor, action="topic.deleted", subject_kind="topic", subject_id=key)
    except ProtectedError as error:
        raise DefinitionRefused("key", "topic_used") from error


def topics(*, active_only: bool = False) -> list[Topic]:
    rows = Topic.objects.order_by("position", "id")
    return list(rows.filter(active=True) if active_only else rows)


def topic_name(topic: Topic, language: str | None = None) -> str:
    return topic.name_zh if (language or get_language() or "zh").startswith("zh") else topic.name_en


def topic_about(topic: Topic, language: str | None = None) -> str:
    return topic.about_zh if (language or get_language() or "zh").startswith("zh") else topic.about_en


def _key(key: str) -> str:
    if len(key) > 48 or _KEY.fullmatch(key) is None:
        raise DefinitionRefused("key", "key_form")
    if Topic.objects.filter(key=key).exists():
        raise DefinitionRefused("key", "key_taken")
    return key


def _text(text: str, field: str, limit: int = 80) -> str:
    try:
        return normalise.line(text, limit=limit)
    except NormaliseProblem as problem:
        raise DefinitionRefused(field, problem.code) from problem
