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
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.errors import BadTree, BadValue, InUse, NotFound
from hongyan.audience.models import AudienceVersion, SavedAudience, TagChange
from hongyan.audience.names import name_of_code
from hongyan.audience.people import sample
from hongyan.audience.saved import audience_create, audience_delete, audience_duplicate, audience_update
from hongyan.audience.segments import check, explain
from hongyan.audience.selectors import audience_by_id, breakdown, composition, tag_tree
from hongyan.audience.tags import tag_by_key, tag_members
from hongyan.audience.types import OnOtherTag, Share, UsedKind
from hongyan.audience.usage import where_used
from hongyan.contacts.models import Topic
from hongyan.web.audiences.common import actor_of, as_json, language, tree_from
from hongyan.web.audiences.forms import AudienceForm, TaggingForm
from hongyan.web.audiences.words import EXCLUDED, tag_name


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
    actor = actor_of(request)
    audience, version = _get(request, public_id)
    tree = version.tree
    context: dict[str, Any] = {
        "audience": audience,
        "version": version,
        "uses": where_used(UsedKind.AUDIENCE, str(public_id)),
        "problems": check(tree, inside=str(public_id)),
        "tags": [(tag.key, tag_name(tag)) for _group, tags in tag_tree(actor=actor) for tag in tags],
    }
    if not context["problems"]:
        topic = Topic.objects.filter(key=request.GET.get("topic", "")).first()
        found = breakdown(actor=actor, tree=tree, topic_id=topic.pk if topic else None)
        context |= {
            "sentence": explain(tree, language(), catalogue=catalogue_now()),
            "breakdown": found,
            "excluded": [
                {"label": EXCLUDED.get(reason, reason), "value": people} for reason, people in found.excluded.items()
            ],
            "people": [
                {"person": person, "place": _place(person.country, person.city)}
                for person in sample(actor=actor, tree=tree, n=8)
            ],
            "compositions": [
                {"title": title, "rows": _bars(composition(actor=actor, tree=tree, field=field, language=language()))}
                for field, title in (("country", _("Country")), ("city", _("City")), ("language", _("Language")))
            ],
            "topics": Topic.objects.filter(active=True).order_by("position"),
            "topic": topic,
        }
    return render(request, "audiences/audience.html", context)


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
        return redirect("audiences:audience", public_id)
    try:
        tag = tag_by_key(form.cleaned_data["tag"])
        tag_members(
            actor=actor_of(request),
            tag=tag,
            tree=version.tree,
            action=TagChange.Action(form.cleaned_data["act"]),
            on_other=OnOtherTag(form.cleaned_data["on_other"] or OnOtherTag.REPLACE),
        )
    except (NotFound, BadTree):
        messages.error(request, _("Choose a tag."))
        return redirect("audiences:audience", public_id)
    messages.success(request, _("Tagging has begun. It can be undone on the page of the tag."))
    return redirect("audiences:tag_edit", tag.public_id)


def _get(request: HttpRequest, public_id: UUID) -> tuple[SavedAudience, AudienceVersion]:
    try:
        return audience_by_id(actor=actor_of(request), public_id=public_id)
    except NotFound:
        raise Http404 from None


def _place(country: str, city: str) -> str:
    return " · ".join(filter(None, (name_of_code("country", country, language()), city)))


def _bars(shares: list[Share]) -> list[dict[str, Any]]:
    return [
        {
            "label": share.label or _("not known"),
            "here": share.here,
            "here_rate": share.here_rate,
            "everyone_rate": share.everyone_rate,
            "here_width": f"{100 * share.here_rate:.2f}%",
            "everyone_width": f"{100 * share.everyone_rate:.2f}%",
        }
        for share in shares
        if share.here or share.everyone
    ]
