"""What an audience says: its versions in words, where it is used, whether it is followed, snapshots of it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.audience.errors import BadTree, BadValue, InUse, NotFound
from hongyan.audience.membership.selectors import snapshot_by_id, snapshots_of, state_of
from hongyan.audience.membership.services import audience_live_set, snapshot_delete, snapshot_take
from hongyan.audience.saved import audience_update
from hongyan.audience.segments import explain, to_text
from hongyan.web.audiences.common import actor_of, language
from hongyan.web.audiences.insight_common import Shown, audience_or_404, render_tab, shown_or_404
from hongyan.web.audiences.insight_words import state_pill

VERSIONS = 50


@require_safe
def page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    shown = shown_or_404(request, public_id)
    actor = actor_of(request)
    state = state_of(actor=actor, audience=shown.audience)
    context = {
        "state": state,
        "pill": state_pill(state),
        "uses": shown.uses(),
        "versions": _versions(shown),
        "text": _text(shown.tree),
        "tags": [(key, tag.label.text(language())) for key, tag in shown.catalogue.tags.items()],
    }
    return render_tab(request, shown, "definition", "audiences/definition.html", context)


@require_safe
def snapshots(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A fragment of the page: what was kept of it."""
    actor = actor_of(request)
    audience = audience_or_404(request, public_id)
    found = snapshots_of(actor=actor, audience=audience)
    return render(request, "audiences/snapshots.html", {"audience": audience, "snapshots": found})


def _versions(shown: Shown) -> list[dict[str, Any]]:
    rows = shown.audience.versions.order_by("-number")[:VERSIONS]
    return [
        {"version": row, "sentence": _sentence(row.tree, shown), "current": row.number == shown.audience.current}
        for row in rows
    ]


def _sentence(tree: Any, shown: Shown) -> str:
    """Empty where it speaks of what is no longer there; such a version cannot be restored."""
    try:
        return explain(tree, language(), catalogue=shown.catalogue)
    except BadTree:
        return ""


def _text(tree: Any) -> str:
    try:
        return to_text(tree)
    except BadTree:
        return ""


@require_POST
def restore(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """An earlier definition becomes the newest version; what was in between stays in the list."""
    actor = actor_of(request)
    actor.require(Permission.AUDIENCE_EDIT)
    shown = shown_or_404(request, public_id)
    version = shown.audience.versions.filter(number=number).first()
    if version is None:
        raise Http404
    audience = shown.audience
    try:
        audience_update(
            actor=actor, audience=audience, name=audience.name, tree=version.tree, description=audience.description
        )
    except (BadTree, BadValue):
        messages.error(request, _("This version speaks of something that no longer exists; it cannot come back."))
    else:
        messages.success(request, _("Version %(n)d holds again") % {"n": number})
    return redirect("audiences:definition", public_id)


@require_POST
def live(request: HttpRequest, public_id: UUID) -> HttpResponse:
    audience = audience_or_404(request, public_id)
    wanted = request.POST.get("live") == "on"
    audience_live_set(actor=actor_of(request), audience=audience, live=wanted)
    messages.success(request, _("Members are followed from now on") if wanted else _("Counted on demand from now on"))
    return redirect("audiences:definition", public_id)


@require_POST
def snapshot(request: HttpRequest, public_id: UUID) -> HttpResponse:
    audience = audience_or_404(request, public_id)
    try:
        snapshot_take(actor=actor_of(request), audience=audience, name=request.POST.get("name", "")[:200])
    except BadValue as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("The snapshot is being taken; it becomes a list that no longer changes."))
    return redirect("audiences:definition", public_id)


@require_POST
def snapshot_remove(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    try:
        found = snapshot_by_id(actor=actor, public_id=public_id)
    except NotFound:
        raise Http404 from None
    audience = found.audience
    try:
        snapshot_delete(actor=actor, snapshot=found)
    except InUse as error:
        names = _(", ").join(use.name for use in error.uses[:5])
        messages.error(request, _("It is still used by: %(names)s") % {"names": names})
    else:
        messages.success(request, _("Deleted"))
    return redirect("audiences:definition", audience.public_id) if audience else redirect("audiences:index")
