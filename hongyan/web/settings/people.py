"""Users and roles."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hongyan.accounts import selectors, services
from hongyan.accounts.errors import BadValue, EmailTaken, LastAdministrator
from hongyan.accounts.organisation import organisation
from hongyan.accounts.permissions import ROLE_PERMISSIONS, Permission, Role
from hongyan.web.settings.common import acting, needs
from hongyan.web.settings.forms import InviteForm, UserForm, refuse
from hongyan.web.settings.words import MATRIX, ROLE_TEXTS
from hongyan.web.words import permission_label, role_label


@require_safe
@needs(Permission.USERS_EDIT)
def index(request: HttpRequest) -> HttpResponse:
    rows = selectors.users(actor=acting(request))
    wanted = request.GET.get("q", "").strip().lower()
    shown = [row for row in rows if wanted in row.name.lower() or wanted in row.email] if wanted else rows
    people = [(row, [role_label(role) for role in row.roles]) for row in shown]
    return render(request, "settings/users.html", {"people": people, "total": len(rows), "wanted": wanted})


@require_safe
def roles(request: HttpRequest) -> HttpResponse:
    """Everybody may know who may do what."""
    matrix = [
        (title, [(permission_label(p), [p in ROLE_PERMISSIONS[role] for role in Role]) for p in group])
        for title, group in MATRIX
    ]
    heads = [(role_label(role), ROLE_TEXTS[role]) for role in Role]
    return render(request, "settings/roles.html", {"matrix": matrix, "heads": heads})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.USERS_EDIT)
def invite(request: HttpRequest) -> HttpResponse:
    form = InviteForm(request.POST or None, initial={"language": organisation().default_language})
    if request.method == "POST" and form.is_valid():
        try:
            user, path = services.user_invite(
                actor=acting(request),
                email=form.cleaned_data["email"],
                name=form.cleaned_data["name"],
                roles=form.chosen_roles(),
                language=form.cleaned_data["language"],
            )
        except EmailTaken:
            form.add_error("email", _("There is a user with this address already."))
        except BadValue as error:
            refuse(form, error)
        else:
            # The link is shown in this answer only, never stored in the session or written into an address.
            return render(request, "settings/invited.html", {"person": user, "link": settings.HONGYAN_BASE_URL + path})
    return render(request, "settings/invite.html", {"form": form, "role_texts": _role_texts()})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.USERS_EDIT)
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    user = selectors.user_by_public_id(actor=acting(request), public_id=public_id)
    row = next(row for row in selectors.users(actor=acting(request)) if row.public_id == public_id)
    initial = {"name": user.name, "roles": sorted(user.roles)}
    form = UserForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.user_change(
                actor=acting(request), user=user, name=form.cleaned_data["name"], roles=form.chosen_roles()
            )
        except LastAdministrator:
            form.add_error("roles", _("Somebody must stay administrator: make another user administrator first."))
        except BadValue as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved"))
            return redirect("settings:users")
    return render(request, "settings/user.html", {"form": form, "row": row, "role_texts": _role_texts()})


@require_POST
@needs(Permission.USERS_EDIT)
def link(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A fresh invitation link."""
    user = selectors.user_by_public_id(actor=acting(request), public_id=public_id)
    path = services.user_link_renew(actor=acting(request), user=user)
    return render(request, "settings/invited.html", {"person": user, "link": settings.HONGYAN_BASE_URL + path})


@require_POST
@needs(Permission.USERS_EDIT)
def deactivation(request: HttpRequest, public_id: UUID) -> HttpResponse:
    user = selectors.user_by_public_id(actor=acting(request), public_id=public_id)
    try:
        services.user_deactivate(actor=acting(request), user=user)
    except LastAdministrator:
        messages.error(request, _("Somebody must stay administrator: make another user administrator first."))
        return redirect("settings:user", public_id)
    messages.success(request, _("Deactivated. Their sessions have ended."))
    return redirect("settings:users")


@require_POST
@needs(Permission.USERS_EDIT)
def reactivation(request: HttpRequest, public_id: UUID) -> HttpResponse:
    user = selectors.user_by_public_id(actor=acting(request), public_id=public_id)
    services.user_reactivate(actor=acting(request), user=user)
    messages.success(request, _("Reactivated. They can sign in again."))
    return redirect("settings:user", public_id)


def _role_texts() -> list[tuple[str, str]]:
    return [(role_label(role), str(text)) for role, text in ROLE_TEXTS.items()]
