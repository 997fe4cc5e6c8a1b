"""Adding a person by hand and changing one. The services judge the values; the form only shows what they said."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods

from hongyan.accounts.permissions import Permission
from hongyan.audience.names import name_of_code
from hongyan.contacts.errors import IdentifierTaken, InvalidValues, problem_text
from hongyan.contacts.fields import definitions
from hongyan.contacts.listing import display_name
from hongyan.contacts.models import Contact, FieldDefinition
from hongyan.contacts.services import contact_create, contact_update
from hongyan.contacts.types import IDENTITY_FIELDS, ContactChanges, ContactValues, Identity
from hongyan.ingest.selectors import region_codes
from hongyan.web.contacts import words
from hongyan.web.contacts.common import actor_of, contact_or_404, language

_NAMES = ("family_name", "given_name")
SUGGESTED = ("country", "language", "time_zone")  # other values may be typed too
_LANGUAGES = (
    "zh-Hans",
    "zh-Hant",
    "en",
    "en-GB",
    "en-US",
    "de",
    "es",
    "fr",
    "it",
    "ja",
    "ko",
    "nl",
    "pt",
    "ru",
    "th",
    "vi",
)
_NOT_ISO = {"AC", "TA", "XK"}  # have telephones, but no country code of ISO 3166
_NO_PLACES = ("Etc/", "SystemV/", "posix/", "right/")
_WIDE = frozenset({"notes", "street"})


class ContactForm(forms.Form):
    """Fields by their keys; ``custom.<key>`` for custom ones. What may not be seen is not there."""

    def __init__(self, *args: Any, identities: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key, label in words.FIELDS.items():
            if identities or key not in IDENTITY_FIELDS:
                self.fields[key] = _standard(key, str(label))
        for definition in definitions():
            if identities or not definition.sensitive:
                self.fields[f"custom.{definition.key}"] = _custom(definition)

    def suggestions(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """For the page: (key, [(value, words beside it)])."""
        countries = sorted((words.country_name(code), code) for code in region_codes() - _NOT_ISO)
        zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(_NO_PLACES))
        languages = [(code, name_of_code("language", code, language())) for code in _LANGUAGES]
        return [("country", countries), ("language", languages), ("time_zone", [(zone, "") for zone in zones])]

    def groups(self) -> list[tuple[str, list[tuple[forms.BoundField, bool]]]]:
        """For the page: (heading, [(field, wide)])."""
        place = ("country", "region", "city", "street", "postal_code", "language", "time_zone")
        person = [key for key in words.FIELDS if key not in place]
        custom = [key for key in self.fields if key.startswith("custom.")]
        named = [
            (pgettext("fields", "Person"), person),
            (_("Place and language"), list(place)),
            (_("Custom fields"), custom),
        ]
        return [
            (heading, [(self[key], key in _WIDE) for key in keys if key in self.fields])
            for heading, keys in named
            if any(key in self.fields for key in keys)
        ]


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_EDIT)
    form = ContactForm(request.POST if request.method == "POST" else None, identities=True)
    taken = ""
    if request.method == "POST" and form.is_valid():
        values = {key: value for key, value in form.cleaned_data.items() if value}
        try:
            made = contact_create(actor=actor, values=ContactValues(values), source="staff")
        except InvalidValues as error:
            taken = _show_problems(form, error)
        else:
            messages.success(request, _("Added. Before mail may be sent, consent is needed."))
            return redirect("contacts:contact", made.public_id)
    context = {"form": form, "taken": taken}
    return render(request, "contacts/form.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_EDIT)
    clear = actor.may(Permission.CONTACT_IDENTITY)
    found, identity = contact_or_404(request, public_id, audit=clear and request.method != "POST")
    form = ContactForm(
        request.POST if request.method == "POST" else None, identities=clear, initial=_initial(found, identity)
    )
    taken = ""
    if request.method == "POST" and form.is_valid():
        try:
            contact_update(actor=actor, contact_id=found.pk, changes=ContactChanges(_changes(form)), source="staff")
        except InvalidValues as error:
            taken = _show_problems(form, error)
        else:
            messages.success(request, _("Saved"))
            return redirect("contacts:contact", public_id)
    context = {
        "form": form,
        "taken": taken,
        "contact": found,
        "title": display_name(identity) or identity.email or identity.phone or _("Without a name"),
        "masked": not clear,
    }
    return render(request, "contacts/form.html", context, status=422 if form.is_bound else 200)


def _changes(form: ContactForm) -> dict[str, Any]:
    """Only what differs. Parts of a name go together, so that the full name is made of both."""
    changed = {key: form.cleaned_data[key] for key in form.changed_data}
    if any(key in changed for key in _NAMES):
        changed.update({key: form.cleaned_data[key] for key in _NAMES})
    elif "full_name" in changed:
        changed.pop("family_name", None)
    return changed


def _initial(found: Contact, identity: Identity) -> dict[str, Any]:
    values: dict[str, Any] = {key: getattr(identity, key, "") for key in words.FIELDS if key in IDENTITY_FIELDS}
    values.update({key: getattr(found, key) for key in words.FIELDS if key not in IDENTITY_FIELDS})
    values["sex"] = str(found.sex)
    values["country"] = words.country_name(found.country)
    for definition in definitions():
        held: Mapping[str, Any] = identity.extra if definition.sensitive else found.attributes
        value = held.get(definition.key, "")
        if definition.type == FieldDefinition.Type.CHOICES and isinstance(value, str):
            value = [part for part in value.split("|") if part]
        if isinstance(value, bool):
            value = "true" if value else "false"
        values[f"custom.{definition.key}"] = value if isinstance(value, list) else str(value)
    return values


def _show_problems(form: ContactForm, error: InvalidValues) -> str:
    """Puts each problem at its field; returns whose contact has the address already, if that is the problem."""
    for key, code in error.problems.items():
        form.add_error(key if key in form.fields else None, problem_text(code))
    return error.public_id if isinstance(error, IdentifierTaken) else ""


def _standard(key: str, label: str) -> forms.Field:
    if key == "sex":
        choices = [("0", _("Unknown")), *((str(code), str(name)) for code, name in words.SEXES.items())]
        return forms.ChoiceField(label=label, choices=choices, required=False)
    widget: forms.Widget = forms.TextInput()
    if key == "notes":
        widget = forms.Textarea(attrs={"rows": 3})
    elif key == "birth_date":
        widget = forms.DateInput(attrs={"type": "date"})
    elif key in {"email", "phone"}:
        widget = forms.TextInput(attrs={"type": "tel" if key == "phone" else "text", "inputmode": _MODES[key]})
    elif key in SUGGESTED:
        widget.attrs["list"] = f"suggested-{key}"
    widget.attrs["autocomplete"] = "off"  # it is somebody else's name, not the reader's
    return forms.CharField(label=label, required=False, widget=widget, help_text=_help(key))


_MODES = {"email": "email", "phone": "tel"}


def _help(key: str) -> str:
    texts = {
        "country": _("Name or two-letter code"),
        "language": _("A code such as zh-Hans or en"),
        "time_zone": _("Such as Asia/Shanghai"),
        "phone": _("With country code unless it is in China"),
    }
    return texts.get(key, "")


def _custom(definition: FieldDefinition) -> forms.Field:
    label = words.label_of(definition)
    kind = definition.type
    labels = "label_zh" if language() == "zh-hans" else "label_en"
    options = [(option["value"], option.get(labels) or option["value"]) for option in definition.options]
    if kind == FieldDefinition.Type.CHOICE:
        return forms.ChoiceField(label=label, choices=[("", "—"), *options], required=False)
    if kind == FieldDefinition.Type.CHOICES:
        return forms.MultipleChoiceField(
            label=label, choices=options, required=False, widget=forms.CheckboxSelectMultiple()
        )
    if kind == FieldDefinition.Type.BOOLEAN:
        choices = [("", "—"), ("true", _("Yes")), ("false", _("No"))]
        return forms.ChoiceField(label=label, choices=choices, required=False)
    kinds = {"date": "date", "url": "url"}
    widget = forms.TextInput(attrs={"type": kinds.get(kind, "text"), "autocomplete": "off"})
    if kind == FieldDefinition.Type.NUMBER:
        widget.attrs["inputmode"] = "decimal"
    return forms.CharField(label=label, required=False, widget=widget)
