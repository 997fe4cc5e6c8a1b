"""What programs say about people for which there is no field yet."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from hongyan.accounts.permissions import Permission
from hongyan.ingest.intake.loose import loose_traits
from hongyan.jobs.services import job_start
from hongyan.web.events.common import actor_of
from hongyan.web.events.words import TYPES

_FIELD_TYPES = {"text": "text", "number": "number", "boolean": "boolean", "time": "datetime", "list": "text"}


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.SOURCE_EDIT)
    if request.method == "POST":
        job_start(actor=actor, kind="traits_settle", params={})
        messages.success(request, _("Values are moving into their fields; this goes on in the background."))
        return redirect("events:traits")
    traits = loose_traits(actor=actor)
    rows = [
        {
            "trait": trait,
            "type": TYPES.get(trait.type, trait.type),
            "field_url": _field_url(trait.field, trait.name, trait.type),
        }
        for trait in traits
    ]
    ready = any(trait.ready for trait in traits)
    return render(request, "events/traits.html", {"rows": rows, "ready": ready})


def _field_url(key: str, label: str, kind: str) -> str:
    """The form for a new field, filled as far as the trait says it."""
    start = {"key": key, "label_zh": label, "label_en": label, "type": _FIELD_TYPES.get(kind, "text")}
    return f"{reverse('contacts:field_create')}?{urlencode(start)}"
