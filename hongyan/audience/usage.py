"""Where tags, lists, audiences, stages and tiers are used. Rooms above register a finder; this one knows its own."""

from collections.abc import Iterable, Iterator
from typing import Final

from hongyan.audience.compiler.catalogue import AudienceSpec, Catalogue
from hongyan.audience.compiler.nodes import FieldIs, HasTag, HasTagOfGroup, InAudience, Node, OnList, walk
from hongyan.audience.compiler.parse import parse
from hongyan.audience.errors import BadTree, InUse
from hongyan.audience.models import TagRule, current_versions
from hongyan.audience.types import Use, UsedKind, UseFinder

_FINDERS: list[UseFinder] = []


def register_finder(finder: UseFinder) -> UseFinder:
    """Call from AppConfig.ready: ``finder(kind, key)`` returns the room's uses of a tag, stage or tier (by key), or
    of a list or audience (by public id). ``mentions`` helps with trees."""
    if finder not in _FINDERS:
        _FINDERS.append(finder)
    return finder


def mentions(tree: object, kind: UsedKind, key: str) -> bool:
    """Whether a stored tree names it directly."""
    try:
        node = parse(tree)
    except BadTree:
        return False
    return any((kind, key) in _names(part) for part in walk(node))


def where_used(kind: UsedKind, key: str, *, catalogue: Catalogue | None = None) -> list[Use]:
    """Callers have checked that the reader may see audiences. catalogue: where it is at hand."""
    from django.utils.translation import gettext_lazy as _

    uses = [
        Use(_("Saved audience"), audience.name, f"/audiences/{audience.public_id}/")
        for audience in (_audiences() if catalogue is None else catalogue.audiences.values())
        if mentions(audience.tree, kind, key)
    ]
    return uses + rule_uses(kind, key) + [use for finder in _FINDERS for use in finder(kind, key)]


def _audiences() -> Iterator[AudienceSpec]:
    for version in current_versions():
        yield AudienceSpec(str(version.audience.public_id), version.audience.name, version.tree)


def refuse_while_used(kind: UsedKind, keys: Iterable[str]) -> None:
    """Raises InUse with what depends on any of these."""
    found = {key: uses for key in sorted(keys) if (uses := where_used(kind, key))}
    if found:
        raise InUse(list(dict.fromkeys(use for uses in found.values() for use in uses)), by_key=found)


def rule_uses(kind: UsedKind, key: str) -> list[Use]:
    """Rules of other tags (live or drafts) and of the lifecycle stages that speak of it."""
    from django.utils.translation import gettext_lazy as _

    from hongyan.audience.standing.stages import stage_rules

    uses = [
        Use(_("Rule of a tag"), rule.tag.name_zh, f"/audiences/tags/{rule.tag.public_id}/")
        for rule in TagRule.objects.select_related("tag")
        if any(mentions(tree, kind, key) for tree in (rule.live, rule.draft) if tree is not None)
    ]
    if any(mentions(rule.tree, kind, key) for rule in stage_rules().rules):
        uses.append(Use(_("Lifecycle stages"), str(_("Rules of the stages")), "/audiences/stages/rules/"))
    return uses


FIELDS: Final = {UsedKind.STAGE: "lifecycle.stage", UsedKind.TIER: "rfm.tier"}
_CHOICES: Final = {field: kind for kind, field in FIELDS.items()}


def _names(node: Node) -> list[tuple[UsedKind, str]]:
    match node:
        case HasTag(key):
            return [(UsedKind.TAG, key)]
        case HasTagOfGroup(key):
            return [(UsedKind.TAG_GROUP, key)]
        case OnList(public_id):
            return [(UsedKind.LIST, public_id)]
        case InAudience(public_id):
            return [(UsedKind.AUDIENCE, public_id)]
        case FieldIs(key=field, value=value) if field in _CHOICES:
            return [(_CHOICES[field], str(one)) for one in (value if isinstance(value, tuple | list) else [value])]
        case _:
            return []
