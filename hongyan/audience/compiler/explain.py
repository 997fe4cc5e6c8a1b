"""A tree as one sentence. English builds relative clauses ("contacts whose city is …"), Chinese puts them before the
noun; the word list carries both, so a translator sees whole clauses."""

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hongyan.audience.compiler.catalogue import Catalogue, FieldSpec, FieldType
from hongyan.audience.compiler.nodes import (
    All,
    AnyOf,
    ConsentIs,
    Did,
    Everyone,
    FieldIs,
    HasTag,
    HasTagOfGroup,
    InAudience,
    Node,
    Not,
    OnList,
    Op,
    PropertyIs,
    Scalar,
    Value,
    Window,
)
from hongyan.audience.names import name_of_code


def explain(node: Node, catalogue: Catalogue, language: str) -> str:
    """``node`` checked, not rewritten: the sentence follows what the person built."""
    with translation.override(language):
        if isinstance(node, Everyone):
            return _("All contacts")
        return _("Contacts %(conditions)s") % {"conditions": _Words(catalogue, language).clause(node, top=True)}


def explain_part(node: Node, catalogue: Catalogue, language: str) -> str:
    """One condition, for use beside it."""
    with translation.override(language):
        return _Words(catalogue, language).clause(node, top=True)


class _Words:
    def __init__(self, catalogue: Catalogue, language: str) -> None:
        self.catalogue = catalogue
        self.language = language

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
            case Did():
                return self.did(node, negated=negated)
            case PropertyIs(key, op, value):
                return self.compared(_("%(field)s") % {"field": key}, op, value, None, negated=negated)
            case _:
                raise TypeError(type(node).__name__)

    def of_field(self, spec: FieldSpec, op: Op, value: Value, *, negated: bool) -> str:
        comparison = self.compared(_inside(spec.label.text(self.language)), op, value, spec, negated=negated)
        return _("whose %(comparison)s") % {"comparison": comparison}

    def compared(self, name: str, op: Op, value: Value, spec: FieldSpec | None, *, negated: bool) -> str:
        several = value if isinstance(value, tuple) else (value,)
        shown = [self.value(item, spec) for item in several if item is not None]
        parts = {
            "field": name,
            "value": shown[0] if shown else "",
            "second": shown[-1] if shown else "",
            "values": _(", ").join(shown),
            "n": value,
        }
        text = _negative(op) if negated else _positive(op, spec)
        return text % parts

    def value(self, value: Scalar, spec: FieldSpec | None) -> str:
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if spec is not None:
            for choice in spec.choices:
                if choice.value == value:
                    return _("“%(value)s”") % {"value": choice.label.text(self.language)}
            if spec.names:
                return _("“%(value)s”") % {"value": name_of_code(spec.names, str(value), self.language)}
            if spec.type in {FieldType.DATE, FieldType.TIME}:
                return str(value)
        return _("“%(value)s”") % {"value": value} if isinstance(value, str) else str(value)

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

    def did(self, node: Did, *, negated: bool) -> str:
        never = (node.op is Op.EQ and node.count == 0) or (node.op is Op.LT and node.count == 1)
        once = (node.op is Op.GE and node.count == 1) or (node.op is Op.GT and node.count == 0)
        parts = {
            "window": self.window(node.window),
            "event": self.catalogue.events[node.event].label.text(self.language),
            "where": ""
            if node.where is None
            else _(" (where %(conditions)s)") % {"conditions": self.clause(node.where, top=True)},
            "times": self.times(node),
        }
        if never or once:
            did_not = never != negated
            text = (
                _("who did not “%(event)s”%(where)s%(window)s")
                if did_not
                else _("who did “%(event)s”%(where)s%(window)s")
            )
            return text % parts
        if negated:
            return _("for whom it is not so that they did “%(event)s”%(where)s %(times)s%(window)s") % parts
        return _("who did “%(event)s”%(where)s %(times)s%(window)s") % parts

    def times(self, node: Did) -> str:
        count, op = node.count, node.op
        if op is Op.GT:
            count, op = count + 1, Op.GE
        if op is Op.LT:
            count, op = count - 1, Op.LE
        texts = {
            Op.GE: ngettext("at least %(n)d time", "at least %(n)d times", count),
            Op.LE: ngettext("at most %(n)d time", "at most %(n)d times", count),
            Op.EQ: ngettext("exactly %(n)d time", "exactly %(n)d times", count),
            Op.NE: ngettext("any number of times but %(n)d", "any number of times but %(n)d", count),
        }
        return texts[op] % {"n": count}

    def window(self, window: Window) -> str:
        if window.within_days is not None:
            text = ngettext(" in the last %(n)d day", " in the last %(n)d days", window.within_days)
            return text % {"n": window.within_days}
        if window.since and window.until:
            return _(" from %(first)s to %(last)s") % {"first": window.since, "last": window.until}
        if window.since:
            return _(" since %(first)s") % {"first": window.since}
        if window.until:
            return _(" until %(last)s") % {"last": window.until}
        return ""


def _inside(name: str) -> str:
    """A label as it stands within a sentence: "City" becomes "city", "SKU" and Han stay."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def _positive(op: Op, spec: FieldSpec | None) -> str:
    if op is Op.CONTAINS and spec is not None and spec.type is FieldType.CHOICES:
        return _("%(field)s includes %(value)s")
    return {
        Op.EQ: _("%(field)s is %(value)s"),
        Op.NE: _("%(field)s is not %(value)s"),
        Op.IN: _("%(field)s is one of %(values)s"),
        Op.NOT_IN: _("%(field)s is none of %(values)s"),
        Op.CONTAINS: _("%(field)s contains %(value)s"),
        Op.STARTS_WITH: _("%(field)s starts with %(value)s"),
        Op.GT: _("%(field)s is more than %(value)s"),
        Op.GE: _("%(field)s is at least %(value)s"),
        Op.LT: _("%(field)s is less than %(value)s"),
        Op.LE: _("%(field)s is at most %(value)s"),
        Op.BETWEEN: _("%(field)s is from %(value)s to %(second)s"),
        Op.BEFORE: _("%(field)s is before %(value)s"),
        Op.AFTER: _("%(field)s is after %(value)s"),
        Op.WITHIN_LAST_DAYS: _("%(field)s is within the last %(n)s days"),
        Op.WITHIN_NEXT_DAYS: _("%(field)s is within the next %(n)s days"),
        Op.IS_SET: _("%(field)s is known"),
        Op.IS_NOT_SET: _("%(field)s is not known"),
    }[op]


def _negative(op: Op) -> str:
    return {
        Op.EQ: _("%(field)s is not %(value)s"),
        Op.NE: _("%(field)s is %(value)s"),
        Op.IN: _("%(field)s is none of %(values)s"),
        Op.NOT_IN: _("%(field)s is one of %(values)s"),
        Op.CONTAINS: _("%(field)s does not contain %(value)s"),
        Op.STARTS_WITH: _("%(field)s does not start with %(value)s"),
        Op.GT: _("%(field)s is not more than %(value)s"),
        Op.GE: _("%(field)s is not at least %(value)s"),
        Op.LT: _("%(field)s is not less than %(value)s"),
        Op.LE: _("%(field)s is not at most %(value)s"),
        Op.BETWEEN: _("%(field)s is not from %(value)s to %(second)s"),
        Op.BEFORE: _("%(field)s is not before %(value)s"),
        Op.AFTER: _("%(field)s is not after %(value)s"),
        Op.WITHIN_LAST_DAYS: _("%(field)s is not within the last %(n)s days"),
        Op.WITHIN_NEXT_DAYS: _("%(field)s is not within the next %(n)s days"),
        Op.IS_SET: _("%(field)s is not known"),
        Op.IS_NOT_SET: _("%(field)s is known"),
    }[op]
