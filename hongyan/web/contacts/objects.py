"""Custom objects: what kinds there are, the list of each kind, one thing, and adding or changing one by hand."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.contacts.errors import InvalidValues, ObjectNotFound, ObjectTypeNotFound, problem_text
from hongyan.contacts.listing import contact_rows
from hongyan.contacts.masking import STARS
from hongyan.contacts.models import Contact, ObjectRecord, ObjectType
from hongyan.contacts.objects import object_remove, object_upsert
from hongyan.contacts.objects_selectors import ObjectRow, object_by_public_id, object_page
from hongyan.contacts.objects_types import object_counts, object_type, object_types
from hongyan.contacts.objects_values import ObjectField, ObjectFieldType, fields_of
from hongyan.web.contacts import object_undo, object_words, words
from hongyan.web.contacts.common import actor_of, contact_or_404, language
from hongyan.web.contacts.companies import read_after, write_after

PER_PAGE = 50
COLUMNS = 5  # fields a list shows; the rest stand on the thing's own page


@require_safe
def types(request: HttpRequest) -> HttpResponse:
    """Which kinds there are; the way in for defining them."""
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    counts = object_counts(actor=actor)
    kinds = object_types(archived=True)
    context = {
        "rows": [_type_row(kind, counts) for kind in kinds if kind.archived_at is None],
        "archived": [_type_row(kind, counts) for kind in kinds if kind.archived_at is not None],
    }
    return render(request, "contacts/object_types.html", context)


@require_safe
def records(request: HttpRequest, key: str) -> HttpResponse:
    actor = actor_of(request)
    kind = type_or_404(key)
    fields = [item for item in fields_of(kind) if item.key != kind.title_field]
    search = request.GET.get("q", "").strip()[:200]
    where = _choice_filter(request, fields)
    rows, more = object_page(
        actor=actor, kind=kind, after=read_after(request), limit=PER_PAGE, search=search, where=where
    )
    people = {row.id: row for row in contact_rows(actor=actor, contact_ids=list({row.contact_id for row in rows}))}
    context = {
        "kind": kind,
        "label": object_words.label_of(kind),
        "columns": [item.label(language()) for item in fields[:COLUMNS]],
        "lines": [
            (
                object_words.named(kind, row),
                people.get(row.contact_id),
                [object_words.value_text(item, row.values.get(item.key)) for item in fields[:COLUMNS]],
            )
            for row in rows
        ],
        "after": write_after(more),
        "search": search,
        "choices": [
            (
                item,
                item.label(language()),
                [(o["value"], object_words.value_text(item, o["value"])) for o in item.options],
            )
            for item in fields
            if item.type is ObjectFieldType.CHOICE and not item.sensitive
        ][:3],
        "where": where,
        "filtered": bool(search or where),
    }
    return render(request, "contacts/objects.html", context)


@require_safe
def record(request: HttpRequest, key: str, public_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    found, row = object_or_404(request, key, public_id)
    fields = fields_of(found.type)
    person = contact_rows(actor=actor, contact_ids=[row.contact_id])
    context = {
        "kind": found.type,
        "label": object_words.label_of(found.type),
        "row": object_words.named(found.type, row),
        "values": [
            (item.label(language()), object_words.value_text(item, row.values.get(item.key)), item.sensitive)
            for item in fields
        ],
        "person": person[0] if person else None,
        "source": words.source_name(row.source),
    }
    return render(request, "contacts/object.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, key: str, public_id: UUID | None = None) -> HttpResponse:
    """By hand. A new one is given to the person in ``contact``. Sensitive fields only for those who may read them."""
    actor = actor_of(request)
    actor.require(Permission.CONTACT_EDIT)
    kind = type_or_404(key)
    found, row = object_or_404(request, key, public_id) if public_id is not None else (None, None)
    person = _person(request, found)
    fields = [item for item in fields_of(kind) if not item.sensitive or actor.may(Permission.CONTACT_IDENTITY)]
    values = {item.key: _input(item, row.values.get(item.key) if row else None) for item in fields}
    problems: dict[str, str] = {}
    external_id = row.external_id if row is not None else request.POST.get("external_id", "").strip()
    if request.method == "POST":
        values = {item.key: request.POST.get(f"field.{item.key}", "").strip() for item in fields}
        try:
            if found is None and ObjectRecord.objects.filter(type=kind, external_id=external_id).exists():
                raise InvalidValues({"external_id": "key_taken"})
            before = object_undo.values_before(found) if found is not None else {}
            done = object_upsert(
                actor=actor,
                type_key=key,
                external_id=external_id,
                contact_id=None if found is not None else person.pk,
                values=values,
                source="staff",
            )
        except InvalidValues as refused:
            problems = {name: problem_text(code) for name, code in refused.problems.items()}
        else:
            messages.success(request, _("Saved"))
            if done.record is not None and done.act != "same":
                act = "added" if found is None else "changed"
                object_undo.noted(actor, f"object.{act}", key, person.public_id)
                object_undo.keep(request, act, done.record, before)
            if _from_person(request):
                return redirect(_tab_of(person))
            shown = done.record.public_id if done.record is not None else public_id
            return redirect("contacts:object", key, shown)
    context = {
        "kind": kind,
        "label": object_words.label_of(kind),
        "row": object_words.named(kind, row) if row is not None else None,
        "person": person,
        "back_to_person": _tab_of(person) if found is None or _from_person(request) else "",
        "from_person": _from_person(request),
        "external_id": external_id,
        "external_problem": problems.get("external_id", ""),
        "inputs": [_shown_input(item, values[item.key], problems.get(item.key, "")) for item in fields],
    }
    return render(request, "contacts/object_form.html", context, status=422 if problems else 200)


@require_POST
def removal(request: HttpRequest, key: str, public_id: UUID) -> HttpResponse:
    """From the list, or from a person's page, where it can be taken back."""
    found, row = object_or_404(request, key, public_id)
    before, person = object_undo.values_before(found), found.contact
    object_remove(actor=actor_of(request), type_key=found.type.key, external_id=row.external_id, source="staff")
    object_undo.noted(actor_of(request), "object.removed", key, person.public_id)
    object_undo.keep(request, "removed", found, before)
    messages.success(request, _("Removed"))
    return redirect(_tab_of(person)) if _from_person(request) else redirect("contacts:objects", key)


@require_POST
def take_back(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What was last done by hand to a thing of this person."""
    person = contact_or_404(request, public_id)[0]
    try:
        with transaction.atomic():
            object_undo.take_back(request, actor=actor_of(request), contact=person)
    except object_undo.UndoRefused:
        messages.error(request, _("It cannot be undone any more: it has been changed since."))
    else:
        messages.success(request, _("Undone"))
    return redirect(_tab_of(person))


def _type_row(kind: ObjectType, counts: Mapping[int, int]) -> dict[str, Any]:
    return {
        "kind": kind,
        "label": object_words.label_of(kind),
        "count": counts.get(kind.pk, 0),
        "fields": _(", ").join(item.label(language()) for item in fields_of(kind)[:6]),
    }


def type_or_404(key: str) -> ObjectType:
    try:
        return object_type(key)
    except ObjectTypeNotFound:
        raise Http404 from None


def object_or_404(request: HttpRequest, key: str, public_id: UUID) -> tuple[ObjectRecord, ObjectRow]:
    try:
        found, row = object_by_public_id(actor=actor_of(request), public_id=public_id)
    except ObjectNotFound:
        raise Http404 from None
    if found.type.key != key:
        raise Http404
    return found, row


def _person(request: HttpRequest, found: ObjectRecord | None) -> Contact:
    if found is not None:
        return found.contact
    try:
        public_id = UUID(request.POST.get("contact") or request.GET.get("contact", ""))
    except ValueError:
        raise Http404 from None
    return contact_or_404(request, public_id)[0]


def _from_person(request: HttpRequest) -> bool:
    return (request.POST.get("from") or request.GET.get("from")) == "person"


def _tab_of(person: Contact) -> str:
    return reverse("contacts:contact", args=[person.public_id]) + "?tab=objects"


def _choice_filter(request: HttpRequest, fields: list[ObjectField]) -> dict[str, str]:
    wanted = {}
    for item in fields:
        value = request.GET.get(f"f.{item.key}", "")
        if item.type is ObjectFieldType.CHOICE and not item.sensitive and value:
            wanted[item.key] = value
    return wanted


def _input(item: ObjectField, value: Any) -> str:
    """A stored value as the form takes it."""
    return "" if value == STARS else object_undo.input_text(item, value)


def _shown_input(item: ObjectField, value: str, problem: str) -> dict[str, Any]:
    options = [(option["value"], object_words.value_text(item, option["value"])) for option in item.options]
    if item.type is ObjectFieldType.BOOLEAN:
        options = [("true", _("Yes")), ("false", _("No"))]
    kinds = {ObjectFieldType.DATE: "date", ObjectFieldType.URL: "url"}
    return {
        "key": item.key,
        "label": item.label(language()),
        "type": kinds.get(item.type, "text"),
        "options": options,
        "value": value,
        "problem": problem,
        "sensitive": item.sensitive,
        "hint": _("With the currency: 1,250.00 %(currency)s") % {"currency": item.currency} if item.currency else "",
    }
