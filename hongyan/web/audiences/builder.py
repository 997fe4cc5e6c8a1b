"""What the builder element asks while somebody edits: vocabulary, words and counts of a tree, real values. All JSON."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection
from django.http import HttpRequest, JsonResponse
from django.urls import NoReverseMatch, reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from psycopg.errors import QueryCanceled

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.compiler.check import check
from hongyan.audience.compiler.explain import explain
from hongyan.audience.compiler.nodes import All, AnyOf, Everyone, Node, Not
from hongyan.audience.compiler.parse import parse
from hongyan.audience.errors import BadText, BadTree
from hongyan.audience.people import Person, sample
from hongyan.audience.segments import from_text, to_text
from hongyan.audience.selectors import count_nodes, suggest
from hongyan.audience.types import Suggestion
from hongyan.audience.values import values_of_object, values_of_property
from hongyan.web.audiences.builder_words import words_of
from hongyan.web.audiences.common import actor_of, as_json, language, tree_from

MAX_PART_COUNTS = 40  # trees with more parts are counted only as a whole
LONGEST = "20s"  # nobody waits longer for a number that changes with the next key


@require_GET
def vocabulary(request: HttpRequest) -> JsonResponse:
    """Fields, tags, events and so on, as the reader calls them."""
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    return JsonResponse(words_of(actor, catalogue_now(), language(), own=request.GET.get("inside", "")))


@require_POST
def preview(request: HttpRequest) -> JsonResponse:
    """What is asked of a tree by ``want``: its words (or what is wrong with it), count, people, or the count of each
    part. Apart, so that nothing waits for what takes longer."""
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    answer = _ANSWERS.get(request.GET.get("want", "words"), _words)
    tree = tree_from(request.body.decode("utf-8", "replace"))
    catalogue = catalogue_now()
    try:
        node = parse(tree)
    except BadTree as bad:
        return JsonResponse({"problems": as_json(bad.problems)})
    problems = check(node, catalogue, inside=request.GET.get("inside") or None)
    if problems:
        return JsonResponse({"problems": as_json(problems), "text": to_text(tree)})
    try:
        with _patience():
            found = answer(actor, tree, node, catalogue)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            return JsonResponse({"problems": [], "slow": True}, status=503)
        raise
    return JsonResponse({"problems": [], **found})


@contextmanager
def _patience() -> Iterator[None]:
    """No statement inside takes longer than ``LONGEST``. Not by a transaction: inside one, files are not asked."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = '{LONGEST}'")
    try:
        yield
    finally:
        if not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("RESET statement_timeout")


def _words(_actor: Actor, tree: Any, node: Node, catalogue: Catalogue) -> dict[str, Any]:
    return {"sentence": explain(node, catalogue, language()), "text": to_text(tree), "texts": _texts(tree, node)}


def _size(_actor: Actor, _tree: Any, node: Node, catalogue: Catalogue) -> dict[str, Any]:
    begun = time.perf_counter()
    count, total = _counts([node, Everyone()], catalogue)
    return {"count": count, "total": total, "ms": round(1000 * (time.perf_counter() - begun))}


def _people(actor: Actor, tree: Any, _node: Node, catalogue: Catalogue) -> dict[str, Any]:
    return {"people": [_person(person) for person in sample(actor=actor, tree=tree, catalogue=catalogue)]}


def _parts(_actor: Actor, _tree: Any, node: Node, catalogue: Catalogue) -> dict[str, Any]:
    """By place: how many a part holds by itself, and how many its group holds up to and including it."""
    asked = _asked(node)
    if len(asked) > MAX_PART_COUNTS:
        return {"parts": {}}
    sizes = _counts([part for _path, alone, left in asked for part in (alone, left) if part is not None], catalogue)
    numbers = iter(sizes)
    parts = {}
    for path, _alone, left in asked:
        alone = next(numbers)
        parts[path] = {"alone": alone, "left": None if left is None else next(numbers)}
    return {"parts": parts}


_ANSWERS: dict[str, Callable[[Actor, Any, Node, Catalogue], dict[str, Any]]] = {
    "words": _words,
    "count": _size,
    "people": _people,
    "parts": _parts,
}


def _asked(node: Node) -> list[tuple[str, Node, Node | None]]:
    """Place of each part, the part, and its group up to and including it (None for the first and outside groups)."""
    match node:
        case Not(item) if isinstance(item, All | AnyOf):
            return _asked(item)
        case All(items) | AnyOf(items):
            found: list[tuple[str, Node, Node | None]] = []
            for place, item in enumerate(items):
                found.append((item.path, item, type(node)(items[: place + 1]) if len(items) > 1 else None))
                found += _asked(item)
            return found
        case _:
            return []


def _counts(nodes: Sequence[Node], catalogue: Catalogue) -> list[int]:
    return count_nodes(nodes, catalogue)


def _texts(tree: Any, node: Node) -> dict[str, str]:
    """The text form of each part, for taking it elsewhere."""
    parts = {"": to_text(tree)}
    for path, _alone, _left in _asked(node):
        parts[path] = to_text(_at(tree, path))
    return parts


def _at(tree: Any, path: str) -> Any:
    """The part of a tree that parsed, at its JSON pointer; keys on the way are our own and need no unescaping."""
    for key in path.split("/")[1:]:
        tree = tree[int(key)] if isinstance(tree, list) else tree[key]
    return tree


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
    """Of a field of contacts (``field``), of an event's property (``event``, ``property``), of an object's field
    (``object``, ``field``)."""
    actor = actor_of(request)
    asked = {name: request.GET.get(name, "")[:200] for name in ("field", "event", "property", "object", "q")}
    found: list[Suggestion]
    if "\x00" in "".join(asked.values()):
        found = []
    elif asked["event"]:
        found = values_of_property(
            actor=actor, catalogue=catalogue_now(), event=asked["event"], key=asked["property"], text=asked["q"]
        )
    elif asked["object"]:
        found = values_of_object(
            actor=actor, catalogue=catalogue_now(), type_key=asked["object"], key=asked["field"], text=asked["q"]
        )
    else:
        found = suggest(actor=actor, field=asked["field"], text=asked["q"], language=language())
    return JsonResponse({"values": [_suggested(item) for item in found]})


def _suggested(item: Suggestion) -> dict[str, str]:
    note = number_format(item.contacts, use_l10n=True, force_grouping=True)
    return {"value": item.value, "label": item.label, "note": note}


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
