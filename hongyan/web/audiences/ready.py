"""Ready segments: what they mean, how many they hold now, one click to save."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Label
from hongyan.audience.errors import BadTree, NotFound
from hongyan.audience.ready import READY, ReadySegment, ready_save, ready_segment, saved_from_ready
from hongyan.audience.segments import explain
from hongyan.audience.selectors import count as count_tree
from hongyan.core import clock
from hongyan.web.audiences.common import actor_of, language
from hongyan.web.audiences.rules import create_url


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    actor_of(request).require(Permission.CONTACT_VIEW)
    known, saved = catalogue_now(), saved_from_ready()
    areas: dict[str, list[dict[str, Any]]] = {}
    for segment in READY:
        tree = segment.tree(clock.now(), topics=known.topics)
        row = {
            "key": segment.key,
            "name": segment.name(language()),
            "hint": Label(segment.hint).text(language()),
            "sentence": explain(tree, language(), catalogue=known),
            "url": create_url(tree),
            "saved": saved.get(segment.key),
        }
        areas.setdefault(segment.area, []).append(row)
    named = [{"name": Label(area).text(language()), "rows": rows} for area, rows in areas.items()]
    return render(request, "audiences/ready.html", {"areas": named})


@require_safe
def count(request: HttpRequest, key: str) -> HttpResponse:
    """The figure alone, fetched after the page."""
    segment, known = _segment(key), catalogue_now()
    tree = segment.tree(clock.now(), topics=known.topics)
    try:
        found = count_tree(actor=actor_of(request), tree=tree, catalogue=known)
    except BadTree:
        found = None
    return render(request, "audiences/ready_count.html", {"size": found})


@require_POST
def save(request: HttpRequest, key: str) -> HttpResponse:
    made = ready_save(actor=actor_of(request), key=_segment(key).key, language=language())
    messages.success(request, _("Saved as “%(name)s”") % {"name": made.name})
    return redirect("audiences:audience", made.public_id)


def _segment(key: str) -> ReadySegment:
    try:
        return ready_segment(key)
    except NotFound:
        raise Http404 from None
