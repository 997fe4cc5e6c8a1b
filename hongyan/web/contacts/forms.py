"""Sign-up forms: what they ask and say, where they live, how they do."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.contacts.errors import DefinitionRefused
from hongyan.contacts.models import SignupForm
from hongyan.contacts.signup_forms import (
    form_archive,
    form_by_public_id,
    form_create,
    form_rows,
    form_text,
    form_topics,
    form_update,
)
from hongyan.contacts.topics import topic_name
from hongyan.web.contacts.common import language
from hongyan.web.contacts.inputs import SignupFormForm, refuse
from hongyan.web.settings.common import acting, needs


@require_safe
@needs(Permission.SETTINGS_EDIT)
def index(request: HttpRequest) -> HttpResponse:
    rows = [
        (row, [topic_name(topic) for topic in form_topics(row.form)], _address(row.form))
        for row in form_rows(actor=acting(request))
    ]
    return render(request, "contacts/forms.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.SETTINGS_EDIT)
def edit(request: HttpRequest, public_id: UUID | None = None) -> HttpResponse:
    signup_form = _form(public_id) if public_id is not None else None
    form = SignupFormForm(request.POST or None, form=signup_form)
    if request.method == "POST" and form.is_valid():
        try:
            if signup_form is None:
                signup_form = form_create(actor=acting(request), values=form.values())
            else:
                form_update(actor=acting(request), form=signup_form, values=form.values())
        except DefinitionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("Saved"))
            return redirect("contacts:form", public_id=signup_form.public_id)
    context: dict[str, object] = {"form": form, "signup_form": signup_form, "texts": _texts(form)}
    if signup_form is not None:
        address = _address(signup_form)
        title = escape(form_text(signup_form, language(), "title"))
        frame = f'<iframe src="{address}?embed=1" title="{title}" width="100%" height="760"></iframe>'
        context |= {
            "address": address,
            "preview": reverse("edge:form", args=[signup_form.public_id]) + f"?embed=1&lang={language()}",
            "snippet": f'<script async src="{address}embed.js" data-title="{title}"></script>',
            "frame": frame,
        }
    return render(request, "contacts/signup_form.html", context)


@require_POST
@needs(Permission.SETTINGS_EDIT)
def archiving(request: HttpRequest, public_id: UUID) -> HttpResponse:
    form = _form(public_id)
    archived = form.active
    form_archive(actor=acting(request), form=form, archived=archived)
    messages.success(request, _("Archived") if archived else _("Restored"))
    return redirect("contacts:forms")


def _texts(form: SignupFormForm) -> list[object]:
    """The inputs of the texts, both languages of a part side by side."""
    return [form[name] for name in form.fields if name.endswith(("_zh", "_en"))]


def _form(public_id: UUID) -> SignupForm:
    found = form_by_public_id(public_id)
    if found is None:
        raise Http404
    return found


def _address(form: SignupForm) -> str:
    base: str = settings.HONGYAN_BASE_URL
    return base.rstrip("/") + reverse("edge:form", args=[form.public_id])
