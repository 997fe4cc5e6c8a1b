"""The command palette's answers: pages and actions first, then what the areas' providers find."""

from dataclasses import asdict

from django.http import HttpRequest, JsonResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.web import nav
from hongyan.web.home.acting import actor_of
from hongyan.web.search import SearchHit, find_all, provider

P = Permission
LIMIT = 6

# (address, words, icon, permission); an address that does not exist yet is left out.
ACTIONS = (
    ("campaigns:create", gettext_lazy("New campaign"), "send", P.CAMPAIGN_EDIT),
    ("mails:create", gettext_lazy("Write a mail"), "mail-plus", P.CONTENT_EDIT),
    ("contacts:create", gettext_lazy("Add a contact"), "user-plus", P.CONTACT_EDIT),
    ("imports:new", gettext_lazy("Import a file"), "file-import", P.IMPORT_RUN),
    ("audiences:create", gettext_lazy("New audience"), "users-plus", P.AUDIENCE_EDIT),
)


@require_POST
def results(request: HttpRequest) -> JsonResponse:
    """POST, because a search may hold a name or an address, which must not land in access logs."""
    text = request.POST.get("q", "").strip()[:100]
    hits = find_all(actor_of(request), text, limit=LIMIT)
    return JsonResponse({"hits": [asdict(hit) for hit in hits]})


@provider("actions", order=0)
def actions(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    hits = []
    for name, label, icon, permission in ACTIONS:
        if actor.may(permission) and _matches(text, str(label)):
            try:
                hits.append(SearchHit(str(label), reverse(name), _("Do"), icon))
            except NoReverseMatch:
                continue
    return hits[:limit]


@provider("pages", order=10)
def pages(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    return [
        SearchHit(str(item.room.label), item.url, _("Go to"), item.room.icon, item.shortcut)
        for item in nav.items(actor, "")
        if _matches(text, str(item.room.label), item.room.name)
    ][: max(limit, len(nav.ROOMS))]


def _matches(text: str, *candidates: str) -> bool:
    wanted = text.casefold()
    return any(wanted in candidate.casefold() for candidate in candidates)
