"""What people did and have, in words."""

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hongyan.audience.compiler.catalogue import Catalogue, FieldSpec
from hongyan.audience.compiler.explain_compare import compared, time_spec
from hongyan.audience.compiler.nodes import (
    Did,
    HasObject,
    Measure,
    Measured,
    Node,
    Op,
    Sequence,
    Span,
    Step,
    Unit,
    Window,
)

Where = Callable[[Node, Mapping[str, FieldSpec] | None], str]  # conditions inside, in words; of an object: its fields


class Happenings:
    def __init__(self, catalogue: Catalogue, language: str, where: Where) -> None:
        self.catalogue = catalogue
        self.language = language
        self._where = where

    def event(self, name: str) -> str:
        return self.catalogue.events[name].label.text(self.language)

    def property(self, key: str) -> str:
        known = self.catalogue.properties.get(key)
        return known.text(self.language) if known else key

    def where(self, node: Node | None, fields: Mapping[str, FieldSpec] | None = None) -> str:
        return "" if node is None else _(" (where %(conditions)s)") % {"conditions": self._where(node, fields)}

    def did(self, node: Did, *, negated: bool) -> str:
        never, once = _never(node.op, node.count), _once(node.op, node.count)
        parts = {
            "window": _window(node.window),
            "event": self.event(node.event),
            "where": self.where(node.where),
            "times": _times(node.op, node.count),
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

    def measured(self, node: Measured, *, negated: bool) -> str:
        parts = {
            "window": _window(node.window),
            "event": self.event(node.event),
            "where": self.where(node.where),
            "property": self.property(node.property or ""),
        }
        name = _MEASURES[node.measure]() % parts
        spec = time_spec(node.op, node.value)
        comparison = compared(name, node.op, node.value, spec, negated=negated, language=self.language)
        return _("whose %(comparison)s") % {"comparison": comparison}

    def sequence(self, node: Sequence, *, negated: bool) -> str:
        first = node.steps[0]
        parts = {
            "window": _window(node.window),
            "event": self.event(first.event),
            "where": self.where(first.where),
            "steps": "".join(map(self.step, node.steps[1:])),
        }
        if negated:
            return _("for whom it is not so that they did “%(event)s”%(where)s%(window)s%(steps)s") % parts
        return _("who did “%(event)s”%(where)s%(window)s%(steps)s") % parts

    def step(self, step: Step) -> str:
        text = (
            _(", then not “%(event)s”%(where)s%(within)s")
            if step.absent
            else _(", then “%(event)s”%(where)s%(within)s")
        )
        within = "" if step.within is None else _within(step.within)
        return text % {"event": self.event(step.event), "where": self.where(step.where), "within": within}

    def has_object(self, node: HasObject, *, negated: bool) -> str:
        spec = self.catalogue.objects[node.type_key]
        parts = {
            "object": spec.label.text(self.language),
            "where": self.where(node.where, spec.fields),
            "number": _number(node.op, node.count),
        }
        never, once = _never(node.op, node.count), _once(node.op, node.count)
        if never or once:
            text = _("who have no “%(object)s”%(where)s") if never != negated else _("who have “%(object)s”%(where)s")
            return text % parts
        if negated:
            return _("for whom it is not so that they have %(number)s “%(object)s”%(where)s") % parts
        return _("who have %(number)s “%(object)s”%(where)s") % parts


# %(where)s begins with a space or a bracket of its own; %(window)s too.
_MEASURES: Mapping[Measure, Callable[[], str]] = {
    Measure.SUM: lambda: _("total “%(property)s” of “%(event)s”%(where)s%(window)s"),
    Measure.MIN: lambda: _("smallest “%(property)s” of “%(event)s”%(where)s%(window)s"),
    Measure.MAX: lambda: _("greatest “%(property)s” of “%(event)s”%(where)s%(window)s"),
    Measure.AVERAGE: lambda: _("average “%(property)s” of “%(event)s”%(where)s%(window)s"),
    Measure.FIRST: lambda: _("“%(property)s” at the first “%(event)s”%(where)s%(window)s"),
    Measure.LAST: lambda: _("“%(property)s” at the last “%(event)s”%(where)s%(window)s"),
    Measure.FIRST_AT: lambda: _("first “%(event)s”%(where)s%(window)s"),
    Measure.LAST_AT: lambda: _("last “%(event)s”%(where)s%(window)s"),
}


def _never(op: Op, count: int) -> bool:
    return (op in {Op.EQ, Op.LE} and count == 0) or (op is Op.LT and count == 1)


def _once(op: Op, count: int) -> bool:
    """At all."""
    return (op is Op.GE and count == 1) or (op in {Op.GT, Op.NE} and count == 0)


def _times(op: Op, count: int) -> str:
    op, count = _ends_included(op, count)
    texts = {
        Op.GE: ngettext("at least %(n)d time", "at least %(n)d times", count),
        Op.LE: ngettext("at most %(n)d time", "at most %(n)d times", count),
        Op.EQ: ngettext("exactly %(n)d time", "exactly %(n)d times", count),
        Op.NE: ngettext("any number of times but %(n)d", "any number of times but %(n)d", count),
    }
    return texts[op] % {"n": count}


def _number(op: Op, count: int) -> str:
    op, count = _ends_included(op, count)
    texts = {
        Op.GE: ngettext("at least %(n)d", "at least %(n)d", count),
        Op.LE: ngettext("at most %(n)d", "at most %(n)d", count),
        Op.EQ: ngettext("exactly %(n)d", "exactly %(n)d", count),
        Op.NE: ngettext("any number but %(n)d", "any number but %(n)d", count),
    }
    return texts[op] % {"n": count}


def _ends_included(op: Op, count: int) -> tuple[Op, int]:
    if op is Op.GT:
        return Op.GE, count + 1
    return (Op.LE, count - 1) if op is Op.LT else (op, count)


def _within(span: Span) -> str:
    texts = {
        Unit.MINUTES: ngettext(" within %(n)d minute", " within %(n)d minutes", span.n),
        Unit.HOURS: ngettext(" within %(n)d hour", " within %(n)d hours", span.n),
        Unit.DAYS: ngettext(" within %(n)d day", " within %(n)d days", span.n),
    }
    return texts[span.unit] % {"n": span.n}


def _window(window: Window) -> str:
    if window.within_days is not None:
        text = ngettext(" in the last %(n)d day", " in the last %(n)d days", window.within_days)
        return text % {"n": window.within_days}
    if window.within_hours is not None:
        text = ngettext(" in the last %(n)d hour", " in the last %(n)d hours", window.within_hours)
        return text % {"n": window.within_hours}
    if window.days_ago is not None:
        older, newer = window.days_ago
        return _(" from %(older)d to %(newer)d days ago") % {"older": older, "newer": newer}
    if window.since and window.until:
        return _(" from %(first)s to %(last)s") % {"first": window.since, "last": window.until}
    if window.since:
        return _(" since %(first)s") % {"first": window.since}
    if window.until:
        return _(" until %(last)s") % {"last": window.until}
    return ""
