"""API keys."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hongyan.accounts.api_keys import api_key_create, api_key_revoke, api_keys
from hongyan.accounts.errors import BadValue
from hongyan.accounts.models import ApiKey
from hongyan.accounts.permissions import Permission
from hongyan.web.settings.common import acting, needs
from hongyan.web.settings.forms import KeyForm, refuse
from hongyan.web.words import permission_label


@require_safe
@needs(Permission.USERS_EDIT)
def index(request: HttpRequest) -> HttpResponse:
    rows = [(row, _state(row), _scopes(row)) for row in api_keys(actor=acting(request))]
    return render(request, "settings/api_keys.html", {"rows": rows})


@sensitive_variables("new")
@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.USERS_EDIT)
def create(request: HttpRequest) -> HttpResponse:
    actor = acting(request)
    form = KeyForm(request.POST or None, granted=actor.permissions)
    if request.method == "POST" and form.is_valid():
        try:
            new = api_key_create(
                actor=actor,
                name=form.cleaned_data["name"],
                scopes=form.chosen_scopes(),
                expires_at=form.expires_at(),
            )
        except BadValue as error:
            refuse(form, error)
        else:
            # Shown in this answer only.
            return render(request, "settings/api_key_created.html", {"row": new.row, "secret": new.secret})
    return render(request, "settings/api_key.html", {"form": form})


@require_POST
@needs(Permission.USERS_EDIT)
def revocation(request: HttpRequest, public_id: UUID) -> HttpResponse:
    api_key_revoke(actor=acting(request), key_id=public_id)
    messages.success(request, _("Revoked. Programs using it are refused from now on."))
    return redirect("settings:api_keys")


def _state(row: ApiKey) -> str:
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at is not None and row.expires_at <= timezone.now():
        return "expired"
    return "active" if row.created_by.is_active else "inactive"


def _scopes(row: ApiKey) -> list[str]:
    return [permission_label(Permission(scope)) for scope in row.scopes if scope in set(Permission)]
