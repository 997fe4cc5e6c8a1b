"""Defining a kind of custom object."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.contacts.errors import DefinitionRefused
from hongyan.contacts.models import ObjectType
from hongyan.contacts.objects_types import (
    FIELDS_CAP,
    ICONS,
    object_type_archive,
    object_type_create,
    object_type_update,
)
from hongyan.web.contacts import object_words
from hongyan.web.contacts.common import actor_of
from hongyan.web.contacts.objects import type_or_404

BLANK = 4  # empty lines offered below those in use
_PARTS = ("key", "label_zh", "label_en", "type", "options", "currency")


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, key: str = "") -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.SETTINGS_EDIT)
    kind = type_or_404(key) if key else None
    given = _given(request) if request.method == "POST" else _stored(kind)
    problem, place = "", ""
    if request.method == "POST":
        try:
            saved = _save(request, kind, given)
        except DefinitionRefused as refused:
            problem, place = refused.message, refused.field
        else:
            if request.POST.get("more"):
                return redirect("contacts:object_type", saved.key)
            messages.success(request, _("Saved"))
            return redirect("contacts:object_types")
    context = {
        "kind": kind,
        "label": object_words.label_of(kind) if kind is not None else "",
        "given": given,
        "rows": _rows(given["fields"], place),
        "problem": problem,
        "place": place,
        "types": object_words.TYPES.items(),
        "icons": ICONS,
    }
    return render(request, "contacts/object_type.html", context, status=422 if problem else 200)


@require_POST
def archiving(request: HttpRequest, key: str) -> HttpResponse:
    kind = type_or_404(key)
    object_type_archive(actor=actor_of(request), key=key, archived=kind.archived_at is None)
    messages.success(request, _("Archived") if kind.archived_at is None else _("Restored"))
    return redirect("contacts:object_types")


def _save(request: HttpRequest, kind: ObjectType | None, given: dict[str, Any]) -> ObjectType:
    actor = actor_of(request)
    values = {
        "label_zh": given["label_zh"],
        "label_en": given["label_en"],
        "fields": given["fields"],
        "title_field": given["title_field"],
        "icon": given["icon"],
    }
    if kind is None:
        return object_type_create(actor=actor, key=given["key"], **values)
    return object_type_update(actor=actor, key=kind.key, **values)


def _given(request: HttpRequest) -> dict[str, Any]:
    """Lines without a key and without labels are blank ones."""
    columns = {part: request.POST.getlist(f"field_{part}")[: FIELDS_CAP + BLANK] for part in _PARTS}
    sensitive = set(request.POST.getlist("field_sensitive"))
    fields = []
    for place in range(max((len(column) for column in columns.values()), default=0)):
        part = {name: (column[place] if place < len(column) else "").strip() for name, column in columns.items()}
        if not (part["key"] or part["label_zh"] or part["label_en"]):
            continue
        options = [
            text.strip() for text in part["options"].replace("，", ",").replace("\n", ",").split(",") if text.strip()
        ]
        fields.append({**part, "options": [_option(text) for text in options], "sensitive": str(place) in sensitive})
    return {
        "key": request.POST.get("key", "").strip(),
        "label_zh": request.POST.get("label_zh", "").strip(),
        "label_en": request.POST.get("label_en", "").strip(),
        "icon": request.POST.get("icon", "box"),
        "title_field": request.POST.get("title_field", "").strip(),
        "fields": fields,
    }


def _option(text: str) -> dict[str, str]:
    """ "basic=初级/Basic": value, then labels; a word alone stands for all three."""
    value, _equals, labels = text.partition("=")
    zh, _slash, en = labels.partition("/")
    return {
        "value": value.strip(),
        "label_zh": zh.strip() or value.strip(),
        "label_en": (en or zh).strip() or value.strip(),
    }


def _option_text(option: dict[str, str]) -> str:
    value, zh, en = option["value"], option.get("label_zh", ""), option.get("label_en", "")
    return value if {zh, en} <= {value, ""} else f"{value}={zh}/{en}"


def _stored(kind: ObjectType | None) -> dict[str, Any]:
    if kind is None:
        return {"key": "", "label_zh": "", "label_en": "", "icon": "box", "title_field": "", "fields": []}
    names = ("key", "label_zh", "label_en", "icon", "title_field")
    return {name: getattr(kind, name) for name in names} | {"fields": kind.fields}


def _rows(fields: list[dict[str, Any]], place: str) -> list[dict[str, Any]]:
    rows = [
        {**item, "options_text": ", ".join(_option_text(option) for option in item.get("options", [])), "wrong": ""}
        for item in fields
    ]
    parts = place.split(".")
    if len(parts) == 3 and parts[1].isdecimal() and int(parts[1]) < len(rows):
        rows[int(parts[1])]["wrong"] = parts[2]
    blank = {"key": "", "label_zh": "", "label_en": "", "type": "text", "options_text": "", "currency": "", "wrong": ""}
    return rows + [dict(blank) for _place in range(BLANK)]
