"""Custom fields: what else is known about a contact."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.contacts.errors import DefinitionRefused
from hongyan.contacts.fields import definitions, field_archive, field_create, field_move, field_update, has_values
from hongyan.contacts.models import FieldDefinition
from hongyan.web.contacts.common import language
from hongyan.web.contacts.inputs import FIELD_TYPES, FieldForm, refuse
from hongyan.web.settings.common import acting, needs


@require_safe
@needs(Permission.SETTINGS_EDIT)
def index(request: HttpRequest) -> HttpResponse:
    rows = [(item, _name(item), FIELD_TYPES[item.type]) for item in definitions(archived=True)]
    context = {
        "rows": [row for row in rows if row[0].archived_at is None],
        "archived": [row for row in rows if row[0].archived_at is not None],
    }
    return render(request, "contacts/fields.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.SETTINGS_EDIT)
def edit(request: HttpRequest, key: str = "") -> HttpResponse:
    definition = _definition(key) if key else None
    start = {name: value for name, value in request.GET.items() if name in FieldForm.base_fields}  # of a trait
    form = FieldForm(request.POST or None, definition=definition, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            if definition is None:
                field_create(actor=acting(request), **form.values())
            else:
                field_update(actor=acting(request), definition=definition, **form.values())
        except DefinitionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("Saved"))
            return redirect("contacts:fields")
    in_use = definition is not None and has_values(definition)
    name = _name(definition) if definition is not None else ""
    context = {"form": form, "definition": definition, "name": name, "in_use": in_use}
    return render(request, "contacts/field.html", context)


@require_POST
@needs(Permission.SETTINGS_EDIT)
def move(request: HttpRequest, key: str) -> HttpResponse:
    field_move(actor=acting(request), definition=_definition(key), up=request.POST.get("direction") == "up")
    return redirect("contacts:fields")


@require_POST
@needs(Permission.SETTINGS_EDIT)
def archiving(request: HttpRequest, key: str) -> HttpResponse:
    definition = _definition(key)
    archived = definition.archived_at is None
    field_archive(actor=acting(request), definition=definition, archived=archived)
    messages.success(request, _("Archived") if archived else _("Restored"))
    return redirect("contacts:fields")


def _name(definition: FieldDefinition) -> str:
    return definition.label_zh if language() == "zh-hans" else definition.label_en


def _definition(key: str) -> FieldDefinition:
    found = FieldDefinition.objects.filter(key=key).first()
    if found is None:
        raise Http404
    return found
