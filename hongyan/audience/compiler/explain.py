"""A tree as one sentence. English builds relative clauses ("contacts whose city is …"), Chinese puts them before the
noun; the word list carries both, so a translator sees whole clauses."""

import re
from collections.abc import Mapping
from typing import Final

from django.utils import translation
from django.utils.translation import gettext as _

from hongyan.audience.compiler.catalogue import Catalogue, FieldSpec
from hongyan.audience.compiler.explain_compare import compared, inside_sentence, time_spec
from hongyan.audience.compiler.explain_events import Happenings
from hongyan.audience.compiler.nodes import (
    COMPLEMENTS,
    All,
    AnyOf,
    ConsentIs,
    Did,
    Everyone,
    FieldIs,
    HasObject,
    HasTag,
    HasTagOfGroup,
    InAudience,
    Measured,
    Node,
    Not,
    OnList,
    Op,
    PropertyIs,
    Sequence,
    Value,
    in_list,
)

_QUOTED: Final = re.compile("(“[^”]*”)")
_TOUCHING: Final = re.compile("(?<=[\u4e00-\u9fff])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[\u4e00-\u9fff])")


def explain(node: Node, catalogue: Catalogue, language: str) -> str:
    """``node`` checked, not rewritten: the sentence follows what the person built."""
    with translation.override(language):
        if isinstance(node, Everyone):
            return _("All contacts")
        return _spaced(
            _("Contacts %(conditions)s") % {"conditions": _Words(catalogue, language).clause(node, top=True)}
        )


def explain_part(node: Node, catalogue: Catalogue, language: str, fields: Mapping[str, FieldSpec] | None = None) -> str:
    """One condition, for use beside it. fields: of the object it is inside of."""
    with translation.override(language):
        return _spaced(_Words(catalogue, language, fields).clause(node, top=True))


def _spaced(sentence: str) -> str:
    """A space where Chinese meets Latin letters or digits; what stands in quotation marks is somebody's own words."""
    parts = _QUOTED.split(sentence)
    return "".join(part if place % 2 else _TOUCHING.sub(" ", part) for place, part in enumerate(parts))


class _Words:
    """fields: inside an object's conditions, its fields."""

    def __init__(self, catalogue: Catalogue, language: str, fields: Mapping[str, FieldSpec] | None = None) -> None:
        self.catalogue = catalogue
        self.language = language
        self.fields = fields or {}
        self.happenings = Happenings(catalogue, language, self.inside)

    def inside(self, node: Node, fields: Mapping[str, FieldSpec] | None) -> str:
        return _Words(self.catalogue, self.language, fields).clause(node, top=True)

    def clause(self, node: Node, *, negated: bool = False, top: bool = False) -> str:
        match node:
            case Not(item) if not isinstance(item, All | AnyOf):
                return self.clause(item, negated=not negated, top=top)
            case Not(item):
                inner = self.clause(item, top=True)
                return inner if negated else _("to whom this does not apply: (%(conditions)s)") % {"conditions": inner}
            case All(items) | AnyOf(items) if len(items) == 1:
                return self.clause(items[0], negated=negated, top=top)
            case All(items):
                return self.joined(items, _(" and "), top=top)
            case AnyOf(items):
                return self.joined(items, _(" or "), top=top)
            case _:
                return self.leaf(node, negated=negated)

    def joined(self, items: tuple[Node, ...], word: str, *, top: bool) -> str:
        text = word.join(self.clause(item) for item in items)
        return text if top else _("(%(conditions)s)") % {"conditions": text}

    def leaf(self, node: Node, *, negated: bool) -> str:
        match node:
            case Everyone():
                return _("that do not exist") if negated else _("of any kind")
            case FieldIs(key, op, value):
                return self.of_field(self.catalogue.fields[key], op, value, negated=negated)
            case HasTag(key):
                text = _("who do not have the tag “%(name)s”") if negated else _("who have the tag “%(name)s”")
                return text % {"name": self.catalogue.tags[key].label.text(self.language)}
            case HasTagOfGroup(key):
                text = _("who have no tag of “%(name)s”") if negated else _("who have a tag of “%(name)s”")
                return text % {"name": self.catalogue.tag_groups[key].label.text(self.language)}
            case OnList(public_id):
                text = _("who are not on the list “%(name)s”") if negated else _("who are on the list “%(name)s”")
                return text % {"name": self.catalogue.lists[public_id].name}
            case InAudience(public_id):
                text = (
                    _("who are not in the audience “%(name)s”") if negated else _("who are in the audience “%(name)s”")
                )
                return text % {"name": self.catalogue.audiences[public_id].name}
            case ConsentIs():
                return self.of_consent(node, negated=negated)
            case PropertyIs(key, op, value):
                spec = self.fields.get(key)
                name = inside_sentence(spec.label.text(self.language)) if spec else self.happenings.property(key)
                among = in_list(key)
                if among is not None:
                    every = negated != (op in COMPLEMENTS)
                    text = _("%(key)s of each of the “%(list)s”") if every else _("%(key)s of one of the “%(list)s”")
                    list_name, inner = map(self.happenings.property, among)
                    name = text % {"list": list_name, "key": inner}
                return compared(name, op, value, spec or time_spec(op, value), negated=negated, language=self.language)
            case _:
                return self.happening(node, negated=negated)

    def happening(self, node: Node, *, negated: bool) -> str:
        match node:
            case Did():
                return self.happenings.did(node, negated=negated)
            case Measured():
                return self.happenings.measured(node, negated=negated)
            case Sequence():
                return self.happenings.sequence(node, negated=negated)
            case HasObject():
                return self.happenings.has_object(node, negated=negated)
            case _:
                raise TypeError(type(node).__name__)

    def of_field(self, spec: FieldSpec, op: Op, value: Value, *, negated: bool) -> str:
        comparison = compared(
            inside_sentence(spec.label.text(self.language)), op, value, spec, negated=negated, language=self.language
        )
        return _("whose %(comparison)s") % {"comparison": comparison}

    def of_consent(self, node: ConsentIs, *, negated: bool) -> str:
        parts = {
            "channel": self.catalogue.channels[node.channel].text(self.language),
            "state": self.catalogue.consent_states[node.state].text(self.language),
        }
        if node.topic is None:
            text = (
                _("whose consent to %(channel)s is not “%(state)s”")
                if negated
                else _("whose consent to %(channel)s is “%(state)s”")
            )
            return text % parts
        text = (
            _("whose consent to %(channel)s about “%(topic)s” is not “%(state)s”")
            if negated
            else _("whose consent to %(channel)s about “%(topic)s” is “%(state)s”")
        )
        return text % {**parts, "topic": self.catalogue.topics[node.topic].text(self.language)}
