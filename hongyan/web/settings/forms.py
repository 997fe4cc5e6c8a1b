"""Forms of the settings pages. Rules live in the services; what these refuse is put back beside its field."""

import zoneinfo
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hongyan.accounts.api_keys import GRANTABLE
from hongyan.accounts.errors import BadValue
from hongyan.accounts.permissions import Permission, Role
from hongyan.web.settings.words import BAD_VALUES, MATRIX, RULE_KINDS, SECOND_FACTOR
from hongyan.web.words import permission_label, role_label


def zone_choices(*, empty: str | Promise = "") -> list[tuple[str, str]]:
    zones = [(zone, zone.replace("_", " ")) for zone in sorted(zoneinfo.available_timezones()) if "/" in zone]
    kept = [choice for choice in zones if not choice[0].startswith(("Etc/", "posix/", "right/", "SystemV/"))]
    return ([("", str(empty))] if empty else []) + [("UTC", "UTC"), *kept]


def refuse(form: forms.Form, error: BadValue) -> None:
    """Put a service's refusal beside the field it names."""
    field = error.field if error.field in form.fields else None
    form.add_error(field, ValidationError(str(BAD_VALUES.get(error.field, error.field))))


class ProfileForm(forms.Form):
    name = forms.CharField(label=pgettext_lazy("person", "Name"), max_length=120, required=False)
    language = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [("", _("Like the browser")), *settings.LANGUAGES]  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = zone_choices(empty=_("Like the organisation"))  # type: ignore[attr-defined]


class OrganisationForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=160, required=False)
    postal_address = forms.CharField(
        label=_("Postal address"),
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Suggested for new senders: the law asks for a postal address in marketing mail."),
    )
    default_language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(label=_("Time zone"))
    second_factor = forms.ChoiceField(
        label=_("Two-step sign-in"), choices=list(SECOND_FACTOR.items()), widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].choices = zone_choices()  # type: ignore[attr-defined]


class _RolesForm(forms.Form):
    name = forms.CharField(label=pgettext_lazy("person", "Name"), max_length=120, required=False)
    roles = forms.MultipleChoiceField(
        label=_("Roles"), widget=forms.CheckboxSelectMultiple, error_messages={"required": BAD_VALUES["roles"]}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].choices = [(role.value, role_label(role)) for role in Role]  # type: ignore[attr-defined]

    def chosen_roles(self) -> list[Role]:
        return [Role(value) for value in self.cleaned_data["roles"]]


class UserForm(_RolesForm):
    pass


class InviteForm(_RolesForm):
    email = forms.EmailField(label=_("E-mail"), max_length=254)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    field_order = ("email", "name", "language", "roles")


class KeyForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("Which program will use it?"))
    days = forms.ChoiceField(
        label=_("Valid for"),
        choices=[("30", _("30 days")), ("90", _("90 days")), ("365", _("1 year")), ("", _("No end"))],
        initial="365",
        required=False,
    )
    scopes = forms.MultipleChoiceField(
        label=_("Permissions"), widget=forms.CheckboxSelectMultiple, error_messages={"required": BAD_VALUES["scopes"]}
    )

    def __init__(self, *args: Any, granted: frozenset[Permission], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [p for _title, group in MATRIX for p in group if p in GRANTABLE & granted]
        self.fields["scopes"].choices = [(p.value, permission_label(p)) for p in offered]  # type: ignore[attr-defined]

    def chosen_scopes(self) -> list[Permission]:
        return [Permission(value) for value in self.cleaned_data["scopes"]]

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class RuleForm(forms.Form):
    kind = forms.ChoiceField(label=_("Applies to"), choices=list(RULE_KINDS.items()))
    min_size = forms.IntegerField(
        label=_("From how many people on"),
        min_value=1,
        max_value=2_000_000_000,
        required=False,
        help_text=_("For large audiences."),
    )
    tag = forms.CharField(
        label=_("Tag"), max_length=80, required=False, help_text=_("For audiences with a certain tag.")
    )
    approvers = forms.TypedChoiceField(
        label=_("Consent of"), coerce=int, choices=[(1, _("1 other person")), (2, _("2 other people"))]
    )
    enabled = forms.BooleanField(label=_("In force"), required=False, initial=True)


class SenderForm(forms.Form):
    from_name = forms.CharField(label=_("Sender name"), max_length=120, help_text=_("What people see in their inbox."))
    from_email = forms.CharField(label=_("Sender address"), max_length=254)
    reply_to = forms.CharField(
        label=_("Reply address"),
        max_length=254,
        required=False,
        help_text=_("Empty: replies go to the sender address."),
    )
    company_name = forms.CharField(label=_("Company"), max_length=200)
    postal_address = forms.CharField(label=_("Postal address"), max_length=500, widget=forms.Textarea({"rows": 3}))
    phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    website = forms.CharField(label=_("Website"), max_length=300, required=False)
    is_default = forms.BooleanField(label=_("Use for new campaigns unless another is chosen"), required=False)
