"""What all pages of one saved audience share: its head, its tabs, and what is wrong with it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.errors import NotFound
from hongyan.audience.models import AudienceVersion, SavedAudience
from hongyan.audience.segments import check, explain
from hongyan.audience.selectors import audience_by_id
from hongyan.audience.types import Problem, Use, UsedKind
from hongyan.audience.usage import where_used
from hongyan.web.audiences.common import actor_of, language


@dataclass(frozen=True, slots=True)
class Shown:
    """A saved audience on one of its pages."""

    audience: SavedAudience
    version: AudienceVersion
    catalogue: Catalogue
    problems: list[Problem]

    @property
    def tree(self) -> Any:
        return self.version.tree

    def uses(self) -> list[Use]:
        return where_used(UsedKind.AUDIENCE, str(self.audience.public_id), catalogue=self.catalogue)


def shown_or_404(request: HttpRequest, public_id: UUID) -> Shown:
    try:
        audience, version = audience_by_id(actor=actor_of(request), public_id=public_id)
    except NotFound:
        raise Http404 from None
    catalogue = catalogue_now()
    problems = check(version.tree, catalogue=catalogue, inside=str(public_id))
    return Shown(audience, version, catalogue, problems)


def audience_or_404(request: HttpRequest, public_id: UUID) -> SavedAudience:
    """Where what it says does not matter."""
    try:
        return audience_by_id(actor=actor_of(request), public_id=public_id)[0]
    except NotFound:
        raise Http404 from None


def render_tab(request: HttpRequest, shown: Shown, tab: str, template: str, context: dict[str, Any]) -> HttpResponse:
    sentence = "" if shown.problems else explain(shown.tree, language(), catalogue=shown.catalogue)
    given = {"version": shown.version, "problems": shown.problems, "sentence": sentence}
    return render_plain_tab(request, shown.audience, tab, template, given | context)


def render_plain_tab(
    request: HttpRequest, audience: SavedAudience, tab: str, template: str, context: dict[str, Any]
) -> HttpResponse:
    """Without the sentence, which costs the whole catalogue."""
    given = {
        "audience": audience,
        "tab": tab,
        "tabs": [
            {"key": key, "label": label, "url": reverse(name, args=[audience.public_id])}
            for key, label, name in (
                ("size", _("At a glance"), "audiences:audience"),
                ("moves", _("Entered and left"), "audiences:moves"),
                ("profile", _("What sets them apart"), "audiences:profile"),
                ("value", _("Engagement and value"), "audiences:value"),
                ("overlap", _("Overlap"), "audiences:overlap"),
                ("definition", _("Definition and uses"), "audiences:definition"),
            )
        ],
    }
    return render(request, template, given | context)
