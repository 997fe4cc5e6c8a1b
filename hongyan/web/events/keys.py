"""Write keys: who may send, how to install, and whether the first event has come."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.events import tracking_plan
from hongyan.ingest.intake import write_keys as services
from hongyan.ingest.intake.write_keys import NewKey, WriteKeyNotFound, WriteKeyRefused
from hongyan.ingest.models import WriteKey
from hongyan.web.events import snippets
from hongyan.web.events.common import actor_of, refuse
from hongyan.web.events.words import KIND_ICONS, KINDS


class KeyForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=80, help_text=gettext_lazy("So that people know it: “Web shop”.")
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Where do the events come from?"), choices=list(KINDS.items()), widget=forms.RadioSelect
    )
    origins = forms.CharField(
        label=gettext_lazy("Websites"),
        required=False,
        widget=forms.Textarea({"rows": 3, "placeholder": "https://www.example.com"}),
        help_text=gettext_lazy("One a line; https://*.example.com for all below it. Only needed for websites."),
    )
    rate_limit = forms.IntegerField(
        label=gettext_lazy("Events a second, at most"),
        required=False,
        min_value=0,
        max_value=services.MOST_RATE,
        help_text=gettext_lazy(
            "What comes faster is not kept and answered 429; clients wait and send it again. 0: any number. "
            "Empty: 1,000 for websites and apps, 10,000 for servers."
        ),
    )


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    archived = request.GET.get("archived") == "1"
    rows = services.write_keys(actor=actor, archived=archived)
    context = {
        "rows": [{"row": row, "kind": KINDS[row.kind], "icon": KIND_ICONS[WriteKey.Kind(row.kind)]} for row in rows],
        "archived": archived,
    }
    return render(request, "events/keys.html", context)


@sensitive_variables("new")
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.SOURCE_EDIT)
    form = KeyForm(request.POST or None, initial={"kind": WriteKey.Kind.BROWSER})
    if request.method == "POST" and form.is_valid():
        try:
            new = services.write_key_create(
                actor=actor,
                name=form.cleaned_data["name"],
                kind=form.cleaned_data["kind"],
                origins=form.cleaned_data["origins"].splitlines(),
                rate_limit=form.cleaned_data["rate_limit"],
            )
        except WriteKeyRefused as error:
            refuse(form, error.code, str(error.params.get("input", "")), error.params)
        else:
            return _shown(request, new)
    return render(request, "events/key_create.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, public_id: UUID) -> HttpResponse:
    row = _key_or_404(request, public_id)
    start = {"name": row.name, "kind": row.kind, "origins": "\n".join(row.origins), "rate_limit": row.rate_limit}
    form = KeyForm({**request.POST.dict(), "kind": row.kind} if request.method == "POST" else None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            services.write_key_update(
                actor=actor_of(request),
                public_id=public_id,
                name=form.cleaned_data["name"],
                origins=form.cleaned_data["origins"].splitlines(),
                rate_limit=services.DEFAULT_RATES[WriteKey.Kind(row.kind)]
                if form.cleaned_data["rate_limit"] is None
                else form.cleaned_data["rate_limit"],
            )
        except WriteKeyRefused as error:
            refuse(form, error.code, str(error.params.get("input", "")), error.params)
        else:
            messages.success(request, _("Saved."))
            return redirect("events:key", public_id)
    secret = services.shown_secret(actor=actor_of(request), row=row)
    return render(request, "events/key.html", _context(request, row, secret) | {"form": form})


@require_safe
def seen(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Asked every few seconds by the page that waits for the first event."""
    return render(request, "events/key_seen.html", _seen(request, _key_or_404(request, public_id)))


@sensitive_variables("new")
@require_POST
def rotate(request: HttpRequest, public_id: UUID) -> HttpResponse:
    _key_or_404(request, public_id)
    return _shown(request, services.write_key_rotate(actor=actor_of(request), public_id=public_id))


@require_POST
def archive(request: HttpRequest, public_id: UUID) -> HttpResponse:
    _key_or_404(request, public_id)
    services.write_key_archive(actor=actor_of(request), public_id=public_id)
    messages.success(request, _("Archived. The key is refused within seconds; what it sent stays."))
    return redirect("events:keys")


def _shown(request: HttpRequest, new: NewKey) -> HttpResponse:
    """The secret stands in this answer only (a browser's can be read again)."""
    return render(request, "events/key_ready.html", _context(request, new.row, new.secret))


def _context(request: HttpRequest, row: WriteKey, secret: str) -> dict[str, Any]:
    base = settings.HONGYAN_BASE_URL
    return {
        "row": row,
        "secret": secret,
        "kind": KINDS[row.kind],
        "browser": row.kind == WriteKey.Kind.BROWSER,
        "overlap_days": services.OVERLAP.days,
        "snippet": snippets.browser(base, secret),
        "segment": snippets.segment_browser(base, secret),
        "rudderstack": snippets.rudderstack_browser(base, secret),
        "curl": snippets.curl(base, secret),
        "python": snippets.python(base, secret),
        "node": snippets.node(base, secret),
        **_seen(request, row),
    }


def _seen(request: HttpRequest, row: WriteKey) -> dict[str, Any]:
    newest = tracking_plan.newest(actor=actor_of(request), source=row.key, limit=1) if row.last_seen_at else []
    return {"row": row, "first": newest[0] if newest else None}


def _key_or_404(request: HttpRequest, public_id: UUID) -> WriteKey:
    try:
        return services.write_key_by_public_id(actor=actor_of(request), public_id=public_id)
    except WriteKeyNotFound as error:
        raise Http404 from error
