"""What depends on what among rule tags and stages: a rule that asks for what it decides would never come to rest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.compiler.nodes import FieldIs, HasTag, HasTagOfGroup, InAudience, Node, walk
from hongyan.audience.compiler.parse import parse
from hongyan.audience.errors import BadTree
from hongyan.audience.models_rules import TagRule

LIFECYCLE: Final = "lifecycle"


@dataclass(frozen=True, slots=True)
class Decided:
    """What rules decide now. trees: name → the trees that decide it; names are ``tag:<key>`` and ``lifecycle``."""

    trees: Mapping[str, Sequence[Any]]

    @classmethod
    def now(cls) -> "Decided":
        from hongyan.audience.standing.stages import stage_rules  # stages ask this module before they store theirs

        trees: dict[str, Sequence[Any]] = {LIFECYCLE: [rule.tree for rule in stage_rules().rules]}
        for rule in TagRule.objects.select_related("tag"):
            both = [tree for tree in (rule.live, rule.draft) if tree is not None]
            if both:
                trees[tag_name(rule.tag.key)] = both
        return cls(trees)


def tag_name(key: str) -> str:
    return f"tag:{key}"


def circle(name: str, trees: Iterable[Any], *, catalogue: Catalogue, decided: Decided | None = None) -> bool:
    """Whether these trees, deciding ``name``, would ask for it: directly or through audiences, rule tags and stages."""
    found = decided or Decided.now()
    waiting = [part for tree in trees for part in asked_by(tree, catalogue)]
    seen: set[str] = set()
    while waiting:
        part = waiting.pop()
        if part == name:
            return True
        if part not in seen:
            seen.add(part)
            waiting += [deeper for tree in found.trees.get(part, ()) for deeper in asked_by(tree, catalogue)]
    return False


def asked_by(tree: Any, catalogue: Catalogue) -> set[str]:
    """Names that a tree asks for, also in the audiences inside it."""
    return {name for node in nodes_of(tree, catalogue) for name in _names(node, catalogue)}


def nodes_of(tree: Any, catalogue: Catalogue, within: frozenset[str] = frozenset()) -> list[Node]:
    """All parts of a tree and of the audiences inside it; of what cannot be read, none."""
    try:
        root = parse(tree)
    except BadTree:
        return []
    nodes: list[Node] = []
    for node in walk(root):
        nodes.append(node)
        if isinstance(node, InAudience) and node.public_id not in within and node.public_id in catalogue.audiences:
            inner = catalogue.audiences[node.public_id].tree
            nodes += nodes_of(inner, catalogue, within | {node.public_id})
    return nodes


def _names(node: Node, catalogue: Catalogue) -> set[str]:
    match node:
        case HasTag(key=key):
            return {tag_name(key)}
        case HasTagOfGroup(key=key) if key in catalogue.tag_groups:
            below = set(catalogue.tag_groups[key].tag_ids)
            return {tag_name(tag.key) for tag in catalogue.tags.values() if tag.id in below}
        case FieldIs(key=key) if key.startswith("lifecycle."):
            return {LIFECYCLE}
        case _:
            return set()
