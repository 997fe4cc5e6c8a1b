"""The overview: saved audiences with their sizes, movement and state; lists and tags beside them."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.errors import BadTree, BadValue, InUse
from hongyan.audience.insight.overview import Glance, glances, tally
from hongyan.audience.membership.services import audience_live_set, snapshot_take
from hongyan.audience.models import ContactList, SavedAudience, current_versions
from hongyan.audience.saved import audience_delete, audience_duplicate
from hongyan.audience.segments import explain
from hongyan.audience.selectors import tag_tree
from hongyan.web.audiences.common import actor_of, language
from hongyan.web.audiences.insight_words import state_pill
from hongyan.web.audiences.words import group_name, tag_name

ORDERS: Final[dict[str, Callable[[Glance], Any]]] = {
    "name": lambda row: row.audience.name.casefold(),
    "size": lambda row: row.size if row.size is not None else -1,
    "moved": lambda row: (row.entered or 0) + (row.left or 0),
    "changed": lambda row: row.audience.updated_at,
}
BULK_MOST: Final = 200


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    catalogue, current = catalogue_now(), list(current_versions())
    wanted = request.GET.get("q", "").strip()[:200].casefold()
    versions = [
        version
        for version in current
        if not wanted or wanted in f"{version.audience.name} {version.audience.description}".casefold()
    ]
    counted = tally(actor=actor)
    found = glances(actor=actor, versions=versions, catalogue=catalogue, tally=counted)
    order = request.GET.get("order", "")
    key = ORDERS.get(order.lstrip("-"), ORDERS["changed"])
    found.sort(key=key, reverse=order.startswith("-") or order.lstrip("-") not in ORDERS)
    groups = [
        {
            "group": group,
            "name": group_name(group),
            "tags": [{"tag": tag, "name": tag_name(tag), "size": counted.tags.get(tag.pk, 0)} for tag in tags],
        }
        for group, tags in tag_tree(actor=actor)
    ]
    context = {
        "audiences": [
            {
                "glance": row,
                "audience": row.audience,
                "sentence": "" if row.size is None else _sentence(row.version.tree, catalogue),
                "pill": state_pill(row.state),
                "trend": list(row.trend) if len(row.trend) > 1 else None,
            }
            for row in found
        ],
        "any": bool(current),
        "groups": [group for group in groups if group["tags"]],
        "lists": [{"list": row, "size": counted.lists.get(row.pk, 0)} for row in ContactList.objects.all()],
        "total": counted.everyone,
    }
    return render(request, "audiences/index.html", context)


def _sentence(tree: Any, catalogue: Any) -> str:
    try:
        return explain(tree, language(), catalogue=catalogue)
    except BadTree:
        return ""


@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """One act on the chosen audiences; what cannot be done to one does not keep it from the others."""
    actor = actor_of(request)
    actor.require(Permission.AUDIENCE_EDIT)
    act = _ACTS.get(request.POST.get("act", ""))
    chosen = _chosen(request.POST.getlist("ids"))
    if act is None or not chosen:
        messages.error(request, _("Choose audiences first."))
        return redirect("audiences:index")
    done, kept = 0, []
    for audience in chosen:
        try:
            act(actor, audience)
        except (InUse, BadValue, BadTree):
            kept.append(audience.name)
        else:
            done += 1
    if done:
        messages.success(request, ngettext("Done for %(n)d audience", "Done for %(n)d audiences", done) % {"n": done})
    if kept:
        messages.error(request, _("Not possible for: %(names)s") % {"names": _(", ").join(kept[:5])})
    return redirect("audiences:index")


def _chosen(ids: Sequence[str]) -> list[SavedAudience]:
    wanted = set(ids[:BULK_MOST])
    return [row for row in SavedAudience.objects.order_by("pk") if str(row.public_id) in wanted]


def _copy(actor: Actor, audience: SavedAudience) -> None:
    audience_duplicate(actor=actor, audience=audience)


def _delete(actor: Actor, audience: SavedAudience) -> None:
    audience_delete(actor=actor, audience=audience)


def _follow(actor: Actor, audience: SavedAudience) -> None:
    audience_live_set(actor=actor, audience=audience, live=True)


def _unfollow(actor: Actor, audience: SavedAudience) -> None:
    audience_live_set(actor=actor, audience=audience, live=False)


def _snapshot(actor: Actor, audience: SavedAudience) -> None:
    snapshot_take(actor=actor, audience=audience)


_ACTS: Final[dict[str, Callable[[Actor, SavedAudience], None]]] = {
    "copy": _copy,
    "delete": _delete,
    "follow": _follow,
    "unfollow": _unfollow,
    "snapshot": _snapshot,
}
