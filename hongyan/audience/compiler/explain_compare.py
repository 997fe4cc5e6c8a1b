"""One comparison in words: "city is one of “上海”, “杭州”"."""

from django.utils.translation import gettext as _

from hongyan.audience.compiler.catalogue import FieldSpec, FieldType, Label
from hongyan.audience.compiler.nodes import Op, Scalar, Value
from hongyan.audience.compiler.written import of_times
from hongyan.audience.names import name_of_code

_TIME = FieldSpec("", FieldType.TIME, Label(""))


def compared(name: str, op: Op, value: Value, spec: FieldSpec | None, *, negated: bool, language: str) -> str:
    several = value if isinstance(value, tuple) else (value,)
    shown = [_value(item, spec, language) for item in several if item is not None]
    parts = {
        "field": name,
        "value": shown[0] if shown else "",
        "second": shown[-1] if shown else "",
        "values": _(", ").join(shown),
        "n": value,
    }
    text = _negative(op) if negated else _positive(op, spec)
    return text % parts


def _value(value: Scalar, spec: FieldSpec | None, language: str) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if spec is not None:
        for choice in spec.choices:
            if choice.value == value:
                return _("“%(value)s”") % {"value": choice.label.text(language)}
        if spec.names:
            return _("“%(value)s”") % {"value": name_of_code(spec.names, str(value), language)}
        if spec.type in {FieldType.DATE, FieldType.TIME}:
            return str(value)
    return _("“%(value)s”") % {"value": value} if isinstance(value, str) else str(value)


def time_spec(op: Op, value: Value) -> FieldSpec | None:
    """Of a property that is compared as a time: days and instants stand without quotation marks."""
    return _TIME if of_times(op, value) else None


def inside_sentence(name: str) -> str:
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
