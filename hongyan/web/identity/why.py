"""Why a value of a contact is what it is, and letting another one stand."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.contacts.errors import IdentifierTaken
from hongyan.contacts.fields import definitions
from hongyan.contacts.models import Contact
from hongyan.contacts.profiles import CUSTOM, SEALED
from hongyan.contacts.types import IDENTITY_FIELDS, PLAIN_FIELDS
from hongyan.identity.errors import MergeRefused
from hongyan.identity.explaining import explain, value_choose, value_lock
from hongyan.identity.types import Explanation, LostValue
from hongyan.web.contacts.common import contact_or_404
from hongyan.web.contacts.words import source_name
from hongyan.web.identity import words
from hongyan.web.identity.shared import actor_of, shown


@require_GET
def page(request: HttpRequest, public_id: UUID, field: str) -> HttpResponse:
    field = _known(field)
    contact, identity = contact_or_404(request, public_id, audit=True)
    actor = actor_of(request)
    found = explain(actor=actor, contact=contact, field=field)
    return render(
        request,
        "identity/why.html",
        {
            "contact": contact,
            "name": identity.full_name or identity.email or str(contact.public_id)[:8],
            "field": field,
            "label": words.field_name(field) if field != "street" else _("Street address"),
            "value": shown(field, found.value),
            "source": source_name(found.source) if found.source else "",
            "found": found,
            "why": _why(found),
            "others": [_other(field, lost) for lost in found.others],
            "may_edit": actor.may(Permission.CONTACT_EDIT) and actor.may(Permission.CONTACT_IDENTITY),
        },
    )


@require_POST
def choose(request: HttpRequest, public_id: UUID, field: str) -> HttpResponse:
    contact = _contact(request, public_id)
    try:
        index = int(request.POST.get("index", ""))
        value_choose(actor=actor_of(request), contact_id=contact.pk, field=_known(field), index=index)
    except (MergeRefused, ValueError):
        messages.error(request, str(words.REFUSALS["choices"]))
    except IdentifierTaken:
        messages.error(request, str(words.REFUSALS["taken"]))
    else:
        messages.success(request, _("This value stands now, and sources do not change it any more."))
    return redirect("identity:why", public_id, field)


@require_POST
def lock(request: HttpRequest, public_id: UUID, field: str) -> HttpResponse:
    contact = _contact(request, public_id)
    locked = request.POST.get("locked") == "1"
    value_lock(actor=actor_of(request), contact_id=contact.pk, field=_known(field), locked=locked)
    messages.success(
        request,
        _("The value is fixed: sources and merges do not change it.") if locked else _("Sources may change it again."),
    )
    return redirect("identity:why", public_id, field)


def _contact(request: HttpRequest, public_id: UUID) -> Contact:
    return contact_or_404(request, public_id)[0]


def _known(field: str) -> str:
    """``custom.<key>`` stands for sensitive fields too, whose values are kept elsewhere."""
    if field in IDENTITY_FIELDS or field in PLAIN_FIELDS:
        return field
    key = field.removeprefix(CUSTOM).removeprefix(SEALED)
    for item in definitions(archived=True):
        if item.key == key:
            return (SEALED if item.sensitive else CUSTOM) + key
    raise Http404


def _why(found: Explanation) -> str:
    if found.why is not None:
        return str(words.WHY[found.why])
    if found.locked:
        return str(words.WHY["chosen"])
    return _("No merge touched it; it is what the source said last.") if found.source else ""


def _other(field: str, lost: LostValue) -> dict[str, Any]:
    return {
        "index": lost.index,
        "value": shown(field, lost.value),
        "source": source_name(lost.source) if lost.source else "",
        "observed_at": lost.observed_at,
    }
