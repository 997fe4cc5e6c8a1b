"""Trees as other rooms use them: check, compile, explain, hash. Each takes a catalogue where the caller has one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.canonical import digest
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.compiler.check import check as check_node
from hongyan.audience.compiler.emit import emit, emit_among
from hongyan.audience.compiler.explain import explain as explain_node
from hongyan.audience.compiler.nodes import Node
from hongyan.audience.compiler.parse import parse
from hongyan.audience.compiler.rewrite import expand, rewrite
from hongyan.audience.compiler.text import read, write
from hongyan.audience.errors import BadText, BadTree
from hongyan.audience.types import Problem, TextProblem
from hongyan.core import clock
from hongyan.core.sql import SQL


def check(tree: Any, *, catalogue: Catalogue | None = None, inside: str | None = None) -> list[Problem]:
    """Everything wrong with a tree, in the active language; empty when it may be used.

    inside: public id of the saved audience being defined, which the tree must not contain.
    """
    try:
        node = parse(tree)
    except BadTree as bad:
        return list(bad.problems)
    return check_node(node, catalogue or catalogue_now(), inside=inside)


def checked(tree: Any, *, catalogue: Catalogue, inside: str | None = None) -> Node:
    """The parsed tree. Raises BadTree."""
    node = parse(tree)
    problems = check_node(node, catalogue, inside=inside)
    if problems:
        raise BadTree(problems)
    return node


def compile_members(tree: Any, *, catalogue: Catalogue | None = None, now: datetime | None = None) -> SQL:
    """A plain SELECT of contact ids, usable as a sub-select. Raises BadTree; never falls back to everyone."""
    found = catalogue or catalogue_now()
    return emit(rewrite(checked(tree, catalogue=found), found), found, now=now or clock.now())


def members_among(
    tree: Any, contact_ids: Sequence[int], *, catalogue: Catalogue | None = None, now: datetime | None = None
) -> SQL:
    """As ``compile_members``, of these contacts only, whose ids are bound as ``ids``: what each did is looked up by
    itself, so the cost goes with their number. Raises BadTree."""
    found = catalogue or catalogue_now()
    node = rewrite(checked(tree, catalogue=found), found)
    return emit_among(node, found, now=now or clock.now(), contact_ids=contact_ids)


def explain(tree: Any, language: str, *, catalogue: Catalogue | None = None) -> str:
    """The tree as one sentence in "zh-hans" or "en". Raises BadTree."""
    found = catalogue or catalogue_now()
    return explain_node(checked(tree, catalogue=found), found, language)


def from_text(text: str, *, catalogue: Catalogue | None = None, inside: str | None = None) -> dict[str, Any]:
    """The tree that a text means, checked. Raises BadText, whose problems point at the words of the text."""
    reading = read(text)
    problems = check(reading.tree, catalogue=catalogue, inside=inside)
    if problems:
        raise BadText(*(TextProblem(reading.span_of(found.path), found.code, found.message) for found in problems))
    return reading.tree


def to_text(tree: Any) -> str:
    """The text form of a tree, which gives the same tree again. Raises BadTree when it has not the shape of one."""
    return write(tree)


def tree_hash(tree: Any, *, catalogue: Catalogue | None = None) -> bytes:
    """SHA-256 of the definition, saved audiences inside replaced by what they say now: whoever bound an approval to it
    notices when any of them changes. Order of conditions and other spelling do not count."""
    found = catalogue or catalogue_now()
    return digest(expand(checked(tree, catalogue=found), found))
