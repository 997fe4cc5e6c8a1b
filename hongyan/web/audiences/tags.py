"""Tags: the taxonomy on one page, a page for each tag with what was done with it."""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.errors import BadTree, BadValue, HoldsSeveral, InUse, NotFound
from hongyan.audience.models import Tag, TagGroup, TagRule
from hongyan.audience.people import sample
from hongyan.audience.segments import explain
from hongyan.audience.selectors import tag_size, tag_sizes, tag_tree
from hongyan.audience.tagging.movement import TagMovement, movements
from hongyan.audience.tagging.rules import draft_effect, rule_of
from hongyan.audience.tagging.tags import tag_change_undo
from hongyan.audience.tagging.taxonomy import (
    key_of,
    tag_create,
    tag_delete,
    tag_group_create,
    tag_group_delete,
    tag_group_update,
    tag_update,
)
from hongyan.audience.types import GroupValues, TagValues, UsedKind
from hongyan.audience.usage import where_used
from hongyan.contacts.models import Contact
from hongyan.web.audiences.common import actor_of, language
from hongyan.web.audiences.forms import GroupForm, NewGroupForm, NewTagForm, TagForm
from hongyan.web.audiences.rules import state_words
from hongyan.web.audiences.words import group_name, tag_name

DAYS: Final = 30
_MOST_MOVERS: Final = 5


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The dashboard: the taxonomy with sizes and movement, what rises and what falls."""
    actor = actor_of(request)
    tree = tag_tree(actor=actor)
    held = tag_sizes(actor=actor)
    sizes = {tag.pk: held.get(tag.pk, 0) for _group, tags in tree for tag in tags}
    moved = movements(actor=actor, sizes=sizes, days=DAYS)
    everyone = Contact.objects.count()
    rules = {rule.tag_id: rule for rule in TagRule.objects.all()}
    rows: dict[int, dict[str, Any]] = {
        tag.pk: {
            "tag": tag,
            "name": tag_name(tag),
            "size": sizes[tag.pk],
            "moved": moved[tag.pk],
            "trend": list(moved[tag.pk].sizes),
            "state": state_words(rules[tag.pk]) if tag.pk in rules else None,
        }
        for _group, tags in tree
        for tag in tags
    }
    groups = [
        {
            "group": group,
            "name": group_name(group),
            "tags": [rows[tag.pk] for tag in tags],
            # Nobody holds two tags of an exclusive group, so those who hold one are as many as their sizes together.
            "missing": max(everyone - sum(sizes[tag.pk] for tag in tags), 0) if group.exclusive else None,
            "has_rules": any(tag.pk in rules for tag in tags),
        }
        for group, tags in tree
    ]
    by_net = sorted(rows.values(), key=lambda row: row["moved"].net)
    context = {
        "groups": groups,
        "days": DAYS,
        "total": everyone,
        "rising": [row for row in reversed(by_net) if row["moved"].net > 0][:_MOST_MOVERS],
        "falling": [row for row in by_net if row["moved"].net < 0][:_MOST_MOVERS],
    }
    return render(request, "audiences/tags.html", context)


@require_http_methods(["GET", "POST"])
def group_create(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.AUDIENCE_EDIT)
    form = NewGroupForm(request.POST or None, initial={"parent": request.GET.get("parent", "")})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        values = GroupValues(
            key=key_of(data["key"] or data["name_en"] or data["name_zh"]),
            name_zh=data["name_zh"],
            name_en=data["name_en"],
            exclusive=data["exclusive"],
        )
        try:
            tag_group_create(actor=actor, values=values, parent=data["parent"])
        except BadValue as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, _("Saved"))
            return redirect("audiences:tags")
    return _form(request, form, _("New tag group"))


@require_http_methods(["GET", "POST"])
def group_edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.AUDIENCE_EDIT)
    group = _group(public_id)
    initial = {"name_zh": group.name_zh, "name_en": group.name_en, "exclusive": group.exclusive}
    form = GroupForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            tag_group_update(actor=actor, group=group, **form.cleaned_data)
        except HoldsSeveral as error:
            form.add_error("exclusive", _several(error.contacts))
        except BadValue as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, _("Saved"))
            return redirect("audiences:tags")
    return _form(request, form, _("Edit tag group"), {"group": group, "key": group.key})


@require_POST
def group_delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    try:
        tag_group_delete(actor=actor_of(request), group=_group(public_id))
    except BadValue as error:
        messages.error(request, error.message)
    except InUse as error:
        messages.error(request, _used_by(error))
    else:
        messages.success(request, _("Deleted"))
    return redirect("audiences:tags")


@require_http_methods(["GET", "POST"])
def tag_new(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.AUDIENCE_EDIT)
    if not TagGroup.objects.exists():
        messages.info(request, _("Make a tag group first; tags live in groups."))
        return redirect("audiences:group_create")
    form = NewTagForm(request.POST or None, initial={"group": request.GET.get("group", ""), "colour": "teal"})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        key = key_of(data["key"] or data["name_en"] or data["name_zh"])
        values = TagValues(key=key, name_zh=data["name_zh"], name_en=data["name_en"], colour=data["colour"])
        try:
            tag_create(actor=actor, group=data["group"], values=values)
        except BadValue as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, _("Saved"))
            return redirect("audiences:tags")
    return _form(request, form, _("New tag"))


@require_http_methods(["GET", "POST"])
def tag_edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Everyone who may see contacts sees the page; editing needs its permission."""
    actor = actor_of(request)
    tag = _tag(public_id)
    initial = {
        "name_zh": tag.name_zh,
        "name_en": tag.name_en,
        "colour": tag.colour,
        "group": tag.group.public_id,
    }
    form = TagForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            tag_update(actor=actor, tag=tag, **form.cleaned_data)
        except HoldsSeveral as error:
            form.add_error("group", _several(error.contacts))
        except BadValue as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, _("Saved"))
            return redirect("audiences:tag_edit", public_id)
        tag = _tag(public_id)
    size = tag_size(actor=actor, tag=tag)
    known = catalogue_now()
    context = {
        "form": form,
        "tag": tag,
        "name": tag_name(tag),
        "group_name": group_name(tag.group),
        "size": size,
        **_rule(tag, known),
        **_moved(movements(actor=actor, sizes={tag.pk: size}, days=DAYS)[tag.pk]),
        "changes": tag.changes.order_by("-at", "-id")[:20],
        "uses": where_used(UsedKind.TAG, tag.key, catalogue=known),
    }
    return render(request, "audiences/tag.html", context, status=422 if form.is_bound else 200)


@require_GET
def some(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A fragment: a few of those who hold the tag."""
    found = sample(actor=actor_of(request), tree={"tag": _tag(public_id).key}, n=8)
    return render(request, "audiences/people.html", {"people": found})


@require_POST
def tag_remove(request: HttpRequest, public_id: UUID) -> HttpResponse:
    try:
        tag_delete(actor=actor_of(request), tag=_tag(public_id))
    except InUse as error:
        messages.error(request, _used_by(error))
        return redirect("audiences:tag_edit", public_id)
    messages.success(request, _("Deleted"))
    return redirect("audiences:tags")


@require_POST
def change_undo(request: HttpRequest, public_id: UUID) -> HttpResponse:
    try:
        job = tag_change_undo(actor=actor_of(request), public_id=public_id)
    except NotFound:
        raise Http404 from None
    except BadValue as error:
        messages.error(request, error.message)
        return redirect("audiences:tag_edit", Tag.objects.get(changes__public_id=public_id).public_id)
    messages.success(request, _("Undoing in the background.") if job else _("Undone"))
    tag = Tag.objects.get(changes__public_id=public_id)
    return redirect("audiences:tag_edit", tag.public_id)


def _rule(tag: Tag, known: Catalogue) -> dict[str, Any]:
    """What the rule says, and what publishing its draft would change."""
    rule = rule_of(tag)
    if rule is None:
        return {"rule": None}
    found: dict[str, Any] = {"rule": rule, "state": state_words(rule)}
    for name, tree in (("live", rule.live), ("draft", rule.draft)):
        if tree is not None:
            try:
                found[f"{name}_sentence"] = explain(tree, language(), catalogue=known)
            except BadTree:
                found[f"{name}_sentence"] = _("This rule names what is no longer there.")
    if rule.draft is not None and not tag.group.exclusive:
        try:
            found["effect"] = draft_effect(tag, rule.draft, catalogue=known)
        except BadTree:
            found["effect"] = None
    return found


def _moved(moved: TagMovement) -> dict[str, Any]:
    chart = {
        "categories": [day.isoformat() for day in moved.days],
        "series": [
            {"name": _("Came"), "values": list(moved.added)},
            {"name": _("Went"), "values": [-each for each in moved.removed]},
        ],
        "unit": "",
    }
    return {"moved": moved, "chart": chart if moved.came or moved.went else None, "trend": list(moved.sizes)}


def _form(request: HttpRequest, form: Any, title: str, more: dict[str, Any] | None = None) -> HttpResponse:
    context = {"form": form, "title": title, **(more or {})}
    return render(request, "audiences/tag_form.html", context, status=422 if form.is_bound else 200)


def _several(contacts: int) -> str:
    return _(
        "%(n)s contacts hold more than one tag of this group. Take the surplus tags away first; "
        "nothing is removed by itself."
    ) % {"n": f"{contacts:,}"}


def _used_by(error: InUse) -> str:
    return _("It is still used by: %(names)s") % {"names": _(", ").join(use.name for use in error.uses[:5])}


def _group(public_id: UUID) -> TagGroup:
    group = TagGroup.objects.filter(public_id=public_id).first()
    if group is None:
        raise Http404
    return group


def _tag(public_id: UUID) -> Tag:
    tag = Tag.objects.select_related("group").filter(public_id=public_id).first()
    if tag is None:
        raise Http404
    return tag
