"""A saved audience: its page, building and editing it, copying, deleting, tagging everyone in it."""

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.audience.errors import BadTree, BadValue, InUse, NotFound, RuleDecides
from hongyan.audience.membership.selectors import sizes_over_time, state_of
from hongyan.audience.membership.types import DaySize
from hongyan.audience.models import AudienceVersion, SavedAudience, TagChange
from hongyan.audience.names import name_of_code
from hongyan.audience.people import sample
from hongyan.audience.saved import audience_create, audience_delete, audience_duplicate, audience_update
from hongyan.audience.selectors import audience_by_id, breakdown, sizes
from hongyan.audience.tagging.tags import tag_by_key, tag_members
from hongyan.audience.types import OnOtherTag, UsedKind
from hongyan.audience.usage import where_used
from hongyan.contacts.models import Topic
from hongyan.web.audiences.common import actor_of, as_json, language, tree_from
from hongyan.web.audiences.forms import AudienceForm, TaggingForm
from hongyan.web.audiences.insight_common import audience_or_404, render_tab, shown_or_404
from hongyan.web.audiences.insight_words import day_label, state_pill
from hongyan.web.audiences.words import EXCLUDED

DAYS = 90  # of the chart of sizes


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    actor_of(request).require(Permission.AUDIENCE_EDIT)
    if request.method == "POST":
        return _save(request, None)
    return _editor(request, AudienceForm(initial={"name": ""}), request.GET.get("tree", ""), None)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor_of(request).require(Permission.AUDIENCE_EDIT)
    audience, version = _get(request, public_id)
    if request.method == "POST":
        return _save(request, audience)
    initial = {"name": audience.name, "description": audience.description}
    return _editor(request, AudienceForm(initial=initial), json.dumps(version.tree, ensure_ascii=False), audience)


def _save(request: HttpRequest, audience: SavedAudience | None) -> HttpResponse:
    actor = actor_of(request)
    form = AudienceForm(request.POST)
    text = request.POST.get("tree", "")
    problems: list[dict[str, str]] = []
    if form.is_valid():
        values: dict[str, Any] = {**form.cleaned_data, "tree": tree_from(text)}
        try:
            if audience is None:
                audience = audience_create(actor=actor, **values)
            else:
                audience = audience_update(actor=actor, audience=audience, **values)
        except BadValue as error:
            form.add_error("name", error.message)
        except BadTree as error:
            problems = as_json(error.problems)
        else:
            messages.success(request, _("Saved"))
            return redirect("audiences:audience", audience.public_id)
    return _editor(request, form, text, audience, problems, status=422)


def _editor(
    request: HttpRequest,
    form: AudienceForm,
    tree: str,
    audience: SavedAudience | None,
    problems: list[dict[str, str]] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    uses = where_used(UsedKind.AUDIENCE, str(audience.public_id)) if audience else []
    context = {"form": form, "tree": tree, "audience": audience, "problems": problems or [], "uses": uses}
    return render(request, "audiences/edit.html", context, status=status)


@require_GET
def page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """How many they are, first of all, and how that came about. Whom a mail would reach is asked for by the page."""
    actor = actor_of(request)
    shown = shown_or_404(request, public_id)
    state = state_of(actor=actor, audience=shown.audience)
    context: dict[str, Any] = {"state": state, "pill": state_pill(state)}
    if not shown.problems:
        days = sizes_over_time(actor=actor, audience=shown.audience, days=DAYS)
        counted, everyone = sizes([shown.tree], shown.catalogue)
        context |= {
            "contacts": counted,
            "everyone": everyone,
            "chart": _sizes_chart(days) if len(days) > 1 else None,
            "week": _week(days) if state.live and state.filled_at else None,
        }
    return render_tab(request, shown, "size", "audiences/audience.html", context)


@require_GET
def reach(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A fragment: whom a mail would reach, and why not the others."""
    actor = actor_of(request)
    shown = shown_or_404(request, public_id)
    if shown.problems:
        raise Http404
    topics = list(Topic.objects.filter(active=True).order_by("position"))
    # People agree to topics; without one the answer is about the rare consent to everything.
    asked = request.GET.get("topic", topics[0].key if topics else "")
    topic = next((row for row in topics if row.key == asked), None)
    found = breakdown(actor=actor, tree=shown.tree, topic_id=topic.pk if topic else None, catalogue=shown.catalogue)
    context = {
        "audience": shown.audience,
        "breakdown": found,
        "excluded": [
            {"label": EXCLUDED.get(reason, reason), "value": people} for reason, people in found.excluded.items()
        ],
        "topics": topics,
        "topic": topic,
    }
    return render(request, "audiences/reach.html", context)


@require_GET
def some(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A fragment: a few of the people."""
    shown = shown_or_404(request, public_id)
    if shown.problems:
        raise Http404
    found = sample(actor=actor_of(request), tree=shown.tree, n=8, catalogue=shown.catalogue)
    people = [{"person": person, "place": _place(person.country, person.city)} for person in found]
    return render(request, "audiences/some.html", {"people": people})


@require_GET
def uses(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A fragment: what depends on it."""
    audience = audience_or_404(request, public_id)
    found = where_used(UsedKind.AUDIENCE, str(audience.public_id))
    return render(request, "audiences/uses.html", {"uses": found})


def _sizes_chart(days: list[DaySize]) -> dict[str, Any]:
    return {
        "categories": [day_label(day.day) for day in days],
        "series": [{"name": _("Contacts"), "values": [day.size for day in days]}],
        "unit": "",
    }


def _week(days: list[DaySize]) -> dict[str, int]:
    return {"entered": sum(day.entered for day in days[-7:]), "left": sum(day.left for day in days[-7:])}


@require_POST
def copy(request: HttpRequest, public_id: UUID) -> HttpResponse:
    audience, _version = _get(request, public_id)
    made = audience_duplicate(actor=actor_of(request), audience=audience)
    messages.success(request, _("Copied"))
    return redirect("audiences:edit", made.public_id)


@require_POST
def delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    audience, _version = _get(request, public_id)
    try:
        audience_delete(actor=actor_of(request), audience=audience)
    except InUse as error:
        names = _(", ").join(use.name for use in error.uses[:5])
        messages.error(request, _("It is still used by: %(names)s") % {"names": names})
        return redirect("audiences:audience", public_id)
    messages.success(request, _("Deleted"))
    return redirect("audiences:index")


@require_POST
def tagging(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Everyone in the audience gets a tag, or loses it, as a background job."""
    _audience, version = _get(request, public_id)
    form = TaggingForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a tag."))
        return redirect("audiences:definition", public_id)
    try:
        tag = tag_by_key(form.cleaned_data["tag"])
        tag_members(
            actor=actor_of(request),
            tag=tag,
            tree=version.tree,
            action=TagChange.Action(form.cleaned_data["act"]),
            on_other=OnOtherTag(form.cleaned_data["on_other"] or OnOtherTag.REPLACE),
        )
    except RuleDecides as error:
        messages.error(request, error.message)
        return redirect("audiences:audience", public_id)
    except (NotFound, BadTree):
        messages.error(request, _("Choose a tag."))
        return redirect("audiences:definition", public_id)
    messages.success(request, _("Tagging has begun. It can be undone on the page of the tag."))
    return redirect("audiences:tag_edit", tag.public_id)


def _get(request: HttpRequest, public_id: UUID) -> tuple[SavedAudience, AudienceVersion]:
    try:
        return audience_by_id(actor=actor_of(request), public_id=public_id)
    except NotFound:
        raise Http404 from None


def _place(country: str, city: str) -> str:
    return " · ".join(filter(None, (name_of_code("country", country, language()), city)))
