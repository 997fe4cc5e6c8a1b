"""What the builder element asks while somebody edits: the vocabulary, a preview, real values. All JSON."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import OPERATORS, Catalogue, FieldSpec, Label
from hongyan.audience.compiler.check import check
from hongyan.audience.compiler.explain import explain, explain_part
from hongyan.audience.compiler.nodes import All, AnyOf, Everyone, Node, PropertyIs, walk
from hongyan.audience.compiler.parse import parse
from hongyan.audience.errors import BadText, BadTree
from hongyan.audience.models import Tag, TagGroup
from hongyan.audience.people import Person, sample
from hongyan.audience.segments import from_text, to_text
from hongyan.audience.selectors import count_node, suggest, tag_tree
from hongyan.web.audiences.common import actor_of, as_json, language, tree_from

MAX_PART_COUNTS = 12  # more conditions than this are counted only together; each count is a query


@require_GET
def vocabulary(request: HttpRequest) -> JsonResponse:
    """Fields, tags, lists and so on, as the reader calls them."""
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    catalogue = catalogue_now()
    words = language()
    own = request.GET.get("inside", "")
    answer = {
        "fields": [_field(spec, words) for spec in catalogue.fields.values()],
        "operators": {kind.value: [op.value for op in ops] for kind, ops in OPERATORS.items()},
        "tags": [
            {"value": tag.key, "label": _name(tag, words), "group": _name(group, words)}
            for group, tags in tag_tree(actor=actor)
            for tag in tags
        ],
        "tag_groups": _named(catalogue.tag_groups, words),
        "lists": [{"value": spec.public_id, "label": spec.name} for spec in catalogue.lists.values()],
        "audiences": [
            {"value": spec.public_id, "label": spec.name}
            for spec in catalogue.audiences.values()
            if spec.public_id != own
        ],
        "events": _named(catalogue.events, words),
        "channels": _labelled(catalogue.channels, words),
        "topics": _labelled(catalogue.topics, words),
        "states": _labelled(catalogue.consent_states, words),
    }
    return JsonResponse(answer)


@require_POST
def preview(request: HttpRequest) -> JsonResponse:
    """Count, people and sentence of a tree, or its problems at their places; with ``parts`` the count of each part."""
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    tree = tree_from(request.body.decode("utf-8", "replace"))
    catalogue = catalogue_now()
    try:
        node = parse(tree)
    except BadTree as bad:
        return JsonResponse({"problems": as_json(bad.problems)})
    problems = check(node, catalogue, inside=request.GET.get("inside") or None)
    if problems:
        return JsonResponse({"problems": as_json(problems)})
    if "parts" in request.GET:  # asked for apart: the whole must not wait for its parts
        return JsonResponse({"problems": [], "parts": _parts(node, catalogue)})
    found = count_node(node, catalogue)
    answer = {
        "problems": [],
        "count": found,
        "total": found if isinstance(node, Everyone) else count_node(Everyone(), catalogue),
        "sentence": explain(node, catalogue, language()),
        "text": to_text(tree),
        "people": [_person(person) for person in sample(actor=actor, tree=tree, catalogue=catalogue)],
    }
    return JsonResponse(answer)


@require_POST
def read_text(request: HttpRequest) -> JsonResponse:
    """The tree that a text means, or what is wrong in it, in characters of the text."""
    actor_of(request).require(Permission.CONTACT_VIEW)
    text = request.body.decode("utf-8", "replace")
    try:
        tree = from_text(text, inside=request.GET.get("inside") or None)
    except BadText as bad:
        problems = [
            {"start": found.span.start, "end": found.span.end, "message": found.message} for found in bad.problems
        ]
        return JsonResponse({"problems": problems})
    return JsonResponse({"problems": [], "tree": tree})


@require_GET
def values(request: HttpRequest) -> JsonResponse:
    found = suggest(
        actor=actor_of(request),
        field=request.GET.get("field", ""),
        text=request.GET.get("q", "")[:100],
        language=language(),
    )
    return JsonResponse(
        {"values": [{"value": item.value, "label": item.label, "contacts": item.contacts} for item in found]}
    )


def _parts(node: Node, catalogue: Catalogue) -> dict[str, dict[str, Any]]:
    """How many fulfil each condition or group by itself, by its place."""
    inner = [part for part in walk(node) if part is not node and not isinstance(part, PropertyIs)]
    inner = [part for part in inner if "/where" not in part.path]
    if len(inner) > MAX_PART_COUNTS:
        inner = [part for part in inner if part.path.count("/") <= 2][:MAX_PART_COUNTS]
    return {
        part.path: {
            "count": count_node(part, catalogue),
            "sentence": "" if isinstance(part, All | AnyOf) else explain_part(part, catalogue, language()),
        }
        for part in inner
    }


def _person(person: Person) -> dict[str, str]:
    try:
        url = reverse("contacts:contact", args=[person.public_id])
    except NoReverseMatch:
        url = ""
    return {
        "name": person.name or _("Without a name"),
        "detail": " · ".join(filter(None, (person.email, person.city))),
        "url": url,
    }


def _field(spec: FieldSpec, words: str) -> dict[str, Any]:
    return {
        "key": spec.key,
        "label": spec.label.text(words),
        "type": spec.type.value,
        "group": spec.group,
        "suggests": spec.suggests,
        "choices": [{"value": choice.value, "label": choice.label.text(words)} for choice in spec.choices],
    }


def _name(thing: Tag | TagGroup, words: str) -> str:
    return Label(thing.name_en, thing.name_zh).text(words)


def _named(specs: Any, words: str) -> list[dict[str, str]]:
    return [{"value": key, "label": spec.label.text(words)} for key, spec in specs.items()]


def _labelled(labels: Any, words: str) -> list[dict[str, str]]:
    return [{"value": key, "label": label.text(words)} for key, label in labels.items()]
