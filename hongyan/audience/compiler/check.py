"""Nodes against the catalogue: everything named exists, every value fits its field, no audience contains itself."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from hongyan.audience.compiler.catalogue import OPERATORS, Catalogue, FieldSpec, FieldType
from hongyan.audience.compiler.nodes import (
    MAX_EXPANDED,
    WITH_DAYS,
    WITHOUT_VALUE,
    ConsentIs,
    Did,
    FieldIs,
    HasTag,
    HasTagOfGroup,
    InAudience,
    Node,
    OnList,
    Op,
    PropertyIs,
    Scalar,
    walk,
)
from hongyan.audience.compiler.parse import is_day, is_instant, parse
from hongyan.audience.compiler.times import first_instant
from hongyan.audience.errors import BadTree
from hongyan.audience.types import Problem

_UTC = ZoneInfo("UTC")


def check(node: Node, catalogue: Catalogue, *, inside: str | None = None) -> list[Problem]:
    """inside: the audience being defined, which the tree must not contain, also not through others."""
    problems = [problem for part in walk(node) for problem in _one(part, catalogue)]
    if not problems:
        problems = _references(node, catalogue, inside)
    return problems


def _one(node: Node, catalogue: Catalogue) -> list[Problem]:
    match node:
        case FieldIs():
            return _field(node, catalogue)
        case PropertyIs():
            return _property(node)
        case HasTag(key, path):
            return _known(key, catalogue.tags, f"{path}/tag", "unknown_tag", _("This tag does not exist."))
        case HasTagOfGroup(key, path):
            message = _("This tag group does not exist.")
            return _known(key, catalogue.tag_groups, f"{path}/tag_group", "unknown_tag_group", message)
        case OnList(key, path):
            return _known(key, catalogue.lists, f"{path}/list", "unknown_list", _("This list does not exist."))
        case InAudience(key, path):
            message = _("This saved audience does not exist.")
            return _known(key, catalogue.audiences, f"{path}/audience", "unknown_audience", message)
        case ConsentIs():
            return _consent(node, catalogue)
        case Did():
            return _did(node, catalogue)
        case _:
            return []


def _known(key: str, among: Mapping[str, object], path: str, code: str, message: str) -> list[Problem]:
    return [] if key in among else [Problem(path, code, message)]


def _consent(node: ConsentIs, catalogue: Catalogue) -> list[Problem]:
    at = f"{node.path}/consent"
    found = _known(
        node.channel, catalogue.channels, f"{at}/channel", "unknown_channel", _("This channel does not exist.")
    )
    found += _known(
        node.state, catalogue.consent_states, f"{at}/state", "unknown_state", _("This consent state does not exist.")
    )
    if node.topic is not None:
        message = _("This subscription topic does not exist.")
        found += _known(node.topic, catalogue.topics, f"{at}/topic", "unknown_topic", message)
    return found


def _did(node: Did, catalogue: Catalogue) -> list[Problem]:
    found = _known(node.event, catalogue.events, f"{node.path}/event", "unknown_event", _("This event is not known."))
    never = (node.op is Op.LT and node.count == 0) or (node.op is Op.GE and node.count == 0)
    if never:
        message = _("This holds for everyone or for nobody, whatever they did.")
        found.append(Problem(f"{node.path}/count", "empty_condition", message))
    if node.since and node.until and _ordered(node.since, catalogue.zone) > _ordered(node.until, catalogue.zone):
        message = _("The first value must not be greater than the second.")
        found.append(Problem(f"{node.path}/to", "wrong_order", message))
    return found


def _field(node: FieldIs, catalogue: Catalogue) -> list[Problem]:
    spec = catalogue.fields.get(node.key)
    if spec is None:
        return [Problem(f"{node.path}/field", "unknown_field", _("This field does not exist."))]
    if node.op not in OPERATORS[spec.type]:
        message = _("This comparison does not fit the field.")
        return [Problem(f"{node.path}/op", "operator_mismatch", message)]
    if node.op in WITHOUT_VALUE or node.op in WITH_DAYS:
        return []
    return _values(node, spec, catalogue.zone)


def _values(node: FieldIs, spec: FieldSpec, zone: ZoneInfo) -> list[Problem]:
    at = f"{node.path}/value"
    several: tuple[Scalar | None, ...] = node.value if isinstance(node.value, tuple) else (node.value,)
    found = []
    for index, value in enumerate(several):
        message = _misfit(value, spec)
        if message:
            path = f"{at}/{index}" if isinstance(node.value, tuple) else at
            found.append(Problem(path, "type_mismatch", message))
    if not found and node.op is Op.BETWEEN and _ordered(several[0], zone) > _ordered(several[1], zone):
        found.append(Problem(at, "wrong_order", _("The first value must not be greater than the second.")))
    return found


def _misfit(value: Scalar | None, spec: FieldSpec) -> str:
    """Why the value does not fit the field, or nothing."""
    match spec.type:
        case FieldType.TEXT:
            good, message = isinstance(value, str), _("A text is needed here.")
        case FieldType.NUMBER:
            good, message = _is_number(value), _("A number is needed here.")
        case FieldType.BOOLEAN:
            good, message = isinstance(value, bool), _("Yes or no is needed here.")
        case FieldType.DATE:
            good, message = isinstance(value, str) and is_day(value), _("A date such as 2026-01-31 is needed.")
        case FieldType.TIME:
            good = isinstance(value, str) and (is_day(value) or is_instant(value))
            message = _("A date such as 2026-01-31 is needed.")
        case FieldType.CHOICE | FieldType.CHOICES:
            good = not isinstance(value, bool) and value in {choice.value for choice in spec.choices}
            message = _("This is not one of the choices of the field.")
        case FieldType.SEALED:  # takes no value, so none comes here
            return ""
    return "" if good else message


def _property(node: PropertyIs) -> list[Problem]:
    """Properties carry no declared type, so operator and value must agree among themselves."""
    at = f"{node.path}/value"
    several: tuple[Scalar | None, ...] = node.value if isinstance(node.value, tuple) else (node.value,)
    if node.op in {Op.GT, Op.GE, Op.LT, Op.LE, Op.BETWEEN}:
        if not all(_is_number(value) for value in several):
            return [Problem(at, "type_mismatch", _("A number is needed here."))]
        if node.op is Op.BETWEEN and _ordered(several[0], _UTC) > _ordered(several[1], _UTC):
            return [Problem(at, "wrong_order", _("The first value must not be greater than the second."))]
    elif node.op in {Op.CONTAINS, Op.STARTS_WITH}:
        if not isinstance(node.value, str):
            return [Problem(at, "type_mismatch", _("A text is needed here."))]
    elif node.op in {Op.IN, Op.NOT_IN}:
        if not (all(isinstance(value, str) for value in several) or all(_is_number(value) for value in several)):
            return [Problem(at, "type_mismatch", _("The values must be all texts or all numbers."))]
    elif node.op not in {Op.EQ, Op.NE, Op.IS_SET, Op.IS_NOT_SET}:
        message = _("This comparison does not fit the field.")
        return [Problem(f"{node.path}/op", "operator_mismatch", message)]
    return []


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ordered(value: object, zone: ZoneInfo) -> float:
    """Orders values of one checked kind: numbers by size, days and instants by time."""
    return float(value) if isinstance(value, int | float) else first_instant(str(value), zone).timestamp()


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
