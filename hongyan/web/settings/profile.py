"""My own account."""

import user_agents
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from hongyan.accounts.errors import BadValue
from hongyan.accounts.selectors import second_factor_missing
from hongyan.accounts.services import profile_change, sessions_end
from hongyan.audit.services import record
from hongyan.web.settings.common import acting, me
from hongyan.web.settings.forms import ProfileForm, refuse
from hongyan.web.words import role_label


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    user = me(request)
    form = ProfileForm(
        request.POST or None, initial={"name": user.name, "language": user.language, "time_zone": user.time_zone}
    )
    if request.method == "POST" and form.is_valid():
        try:
            profile_change(actor=acting(request), user=user, **form.cleaned_data)
        except BadValue as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved"))
            response = HttpResponseRedirect(request.path)
            if user.language:
                response.set_cookie(
                    settings.LANGUAGE_COOKIE_NAME, user.language, max_age=365 * 24 * 3600, samesite="Lax"
                )
            return response
    factors = Authenticator.objects.filter(user=user)
    context = {
        "form": form,
        "roles": [role_label(role) for role in sorted(user.roles)],
        "sessions": [(row, _device(row.user_agent)) for row in UserSession.objects.purge_and_list(user)],
        "session_key": request.session.session_key,
        "totp": factors.filter(type=Authenticator.Type.TOTP).exists(),
        "passkeys": factors.filter(type=Authenticator.Type.WEBAUTHN).count(),
        "factor_missing": second_factor_missing(actor=acting(request)),
    }
    return render(request, "settings/profile.html", context)


def _device(user_agent: str) -> str:
    """“Chrome 143 · Linux”: what people recognise their own device by."""
    agent = user_agents.parse(user_agent)
    browser = f"{agent.browser.family} {agent.browser.version[0] if agent.browser.version else ''}".strip()
    parts = [browser, agent.os.family, agent.device.family]
    return " · ".join(dict.fromkeys(part for part in parts if part not in {"Other", ""})) or _("Unknown device")


@require_POST
def other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere else."""
    user = me(request)
    ended = sessions_end(user=user, but_session_key=request.session.session_key or "")
    if ended:
        record(
            actor=acting(request),
            action="user.sessions_ended",
            subject_kind="user",
            subject_id=str(user.public_id),
            data={"sessions": ended},
        )
    messages.success(
        request,
        ngettext("%(n)s other device was signed out.", "%(n)s other devices were signed out.", ended) % {"n": ended},
    )
    return redirect("settings:profile")
