"""Nodes against the catalogue: everything named exists, every value fits its field, no audience contains itself."""

from django.utils.translation import gettext as _

from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.compiler.check_events import (
    did_problems,
    measured_problems,
    object_problems,
    sequence_problems,
)
from hongyan.audience.compiler.check_values import field_problems, known
from hongyan.audience.compiler.nodes import (
    MAX_EXPANDED,
    ConsentIs,
    Did,
    FieldIs,
    HasObject,
    HasTag,
    HasTagOfGroup,
    InAudience,
    Measured,
    Node,
    OnList,
    Sequence,
    walk,
)
from hongyan.audience.compiler.parse import parse
from hongyan.audience.errors import BadTree
from hongyan.audience.types import Problem


def check(node: Node, catalogue: Catalogue, *, inside: str | None = None) -> list[Problem]:
    """inside: the audience being defined, which the tree must not contain, also not through others."""
    problems = [problem for part in walk(node) for problem in _one(part, catalogue)]
    if not problems:
        problems = _references(node, catalogue, inside)
    return problems


def _one(node: Node, catalogue: Catalogue) -> list[Problem]:
    match node:
        case FieldIs():
            return field_problems(node, catalogue)
        case HasTag(key, path):
            return known(key, catalogue.tags, f"{path}/tag", "unknown_tag", _("This tag does not exist."))
        case HasTagOfGroup(key, path):
            message = _("This tag group does not exist.")
            return known(key, catalogue.tag_groups, f"{path}/tag_group", "unknown_tag_group", message)
        case OnList(key, path):
            return known(key, catalogue.lists, f"{path}/list", "unknown_list", _("This list does not exist."))
        case InAudience(key, path):
            message = _("This saved audience does not exist.")
            return known(key, catalogue.audiences, f"{path}/audience", "unknown_audience", message)
        case ConsentIs():
            return _consent(node, catalogue)
        case Did():
            return did_problems(node, catalogue)
        case Measured():
            return measured_problems(node, catalogue)
        case Sequence():
            return sequence_problems(node, catalogue)
        case HasObject():
            return object_problems(node, catalogue)
        case _:
            return []


def _consent(node: ConsentIs, catalogue: Catalogue) -> list[Problem]:
    at = f"{node.path}/consent"
    found = known(
        node.channel, catalogue.channels, f"{at}/channel", "unknown_channel", _("This channel does not exist.")
    )
    found += known(
        node.state, catalogue.consent_states, f"{at}/state", "unknown_state", _("This consent state does not exist.")
    )
    if node.topic is not None:
        message = _("This subscription topic does not exist.")
        found += known(node.topic, catalogue.topics, f"{at}/topic", "unknown_topic", message)
    return found


def _references(node: Node, catalogue: Catalogue, inside: str | None) -> list[Problem]:
    """Follow saved audiences: none may contain itself, each must still be right, together they must stay small."""
    size = sum(1 for _part in walk(node))
    for part in walk(node):
        if not isinstance(part, InAudience):
            continue
        at = f"{part.path}/audience"
        try:
            size += _follow(part.public_id, catalogue, frozenset({inside} if inside else ()))
        except _Circle:
            return [Problem(at, "circle", _("This audience would contain itself."))]
        except BadTree:
            return [Problem(at, "broken_audience", _("The definition of this saved audience is no longer right."))]
    if size > MAX_EXPANDED:
        message = _("Together with the audiences inside it there are more than %(n)d conditions.") % {"n": MAX_EXPANDED}
        return [Problem("", "too_many", message)]
    return []


class _Circle(Exception):
    """An audience contains itself."""


def _follow(public_id: str, catalogue: Catalogue, seen: frozenset[str]) -> int:
    """Number of conditions below the audience."""
    if public_id in seen:
        raise _Circle
    inner = parse(catalogue.audiences[public_id].tree)
    problems = [problem for part in walk(inner) for problem in _one(part, catalogue)]
    if problems:
        raise BadTree(problems)
    size = 0
    for part in walk(inner):
        size += 1
        if isinstance(part, InAudience):
            size += _follow(part.public_id, catalogue, seen | {public_id})
    return size
