"""Whether operator and value of a comparison fit what is compared."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from hongyan.audience.compiler.catalogue import (
    OPERATORS,
    Catalogue,
    FieldSpec,
    FieldType,
    Label,
    PropertySpec,
)
from hongyan.audience.compiler.nodes import WITH_DAYS, WITHOUT_VALUE, FieldIs, Measured, Op, PropertyIs, Scalar, in_list
from hongyan.audience.compiler.shape import is_day, is_instant, time_needed
from hongyan.audience.compiler.times import first_instant
from hongyan.audience.compiler.written import of_times
from hongyan.audience.types import Problem

_UTC = ZoneInfo("UTC")
_FEW = 8
_TIME = FieldSpec("", FieldType.TIME, Label(""))
_WORDS = {Op.WITHIN_LAST_DAYS: "in last 30d", Op.WITHIN_NEXT_DAYS: "in next 30d"}
_NUMERIC = frozenset({Op.GT, Op.GE, Op.LT, Op.LE, Op.BETWEEN})
_TEXTUAL = frozenset({Op.CONTAINS, Op.STARTS_WITH})


def known(key: str, among: Mapping[str, object], path: str, code: str, message: str) -> list[Problem]:
    return [] if key in among else [unknown(key, among, path, code, message)]


def unknown(key: str, among: Mapping[str, object], path: str, code: str, message: str) -> Problem:
    return Problem(path, code, message + _likely(key, among))


def _likely(key: str, among: Mapping[str, object]) -> str:
    """The name that is likely to be meant: what people call it, or what is written nearly so; of few all."""
    names = {name: name for name in among}
    for name, spec in among.items():
        label = spec if isinstance(spec, Label) else getattr(spec, "label", None)
        called = (label.en, label.zh, label.text(get_language() or "")) if isinstance(label, Label) else ()
        for one in (*called, getattr(spec, "name", "")):
            names.setdefault(str(one), name)
    folded = {name.casefold(): found for name, found in names.items() if name}
    close = get_close_matches(key.casefold(), folded, n=1, cutoff=0.75)
    if close:
        return _(" Is “%(name)s” meant?") % {"name": folded[close[0]]}
    if 0 < len(among) <= _FEW and not any(hasattr(spec, "public_id") for spec in among.values()):
        return _(" Possible here: %(words)s.") % {"words": _(", ").join(among)}
    return ""


def field_problems(node: FieldIs, catalogue: Catalogue) -> list[Problem]:
    spec = catalogue.fields.get(node.key)
    if spec is None:
        return known(node.key, catalogue.fields, f"{node.path}/field", "unknown_field", _("This field does not exist."))
    return compared_problems(node, spec, catalogue.zone)


def compared_problems(node: FieldIs | PropertyIs, spec: FieldSpec, zone: ZoneInfo) -> list[Problem]:
    """Of something whose type is known."""
    if node.op not in OPERATORS[spec.type]:
        return [_wrong_operator(node.path, spec.type)]
    return value_problems(node, spec, zone)


def value_problems(node: FieldIs | PropertyIs | Measured, spec: FieldSpec, zone: ZoneInfo) -> list[Problem]:
    if node.op in WITHOUT_VALUE or node.op in WITH_DAYS:
        return []
    at = f"{node.path}/value"
    found = []
    for index, value in enumerate(several(node)):
        message = _misfit(value, spec)
        if message:
            path = f"{at}/{index}" if isinstance(node.value, tuple) else at
            found.append(Problem(path, "type_mismatch", message))
    if not found and node.op is Op.BETWEEN:
        found = order_problems(several(node), at, zone)
    return found


def property_problems(
    node: PropertyIs | Measured, properties: Mapping[str, PropertySpec] | None, key: str, zone: ZoneInfo
) -> list[Problem]:
    """Of an event's property: the value must be of a kind it is known to have. Where nothing is known of the event,
    operator and value must agree among themselves."""
    among = in_list(key)
    if among is not None and isinstance(node, Measured):
        message = _("A measure takes one value of each event, not those of a list.")
        return [Problem(f"{node.path}/property", "list_property", message)]
    spec = None if properties is None else properties.get(among[0] if among else key)
    if properties is not None and spec is None:
        return [unknown_property(node.path, key, properties)]
    if among is not None and spec is not None and not spec.sealed:
        spec = None  # of what stands inside a list the tracking plan knows nothing
    if spec is not None and (spec.sealed or not spec.kinds) and node.op not in WITHOUT_VALUE:
        message = _("Of this property only whether there is a value can be asked.")
        return [Problem(f"{node.path}/op", "operator_mismatch", message)]
    if of_times(node.op, node.value):
        return _time_problems(node, spec, zone)
    return _agreement(node, spec) or _kind_problems(node, spec)


def unknown_property(path: str, key: str, properties: Mapping[str, PropertySpec]) -> Problem:
    message = _("This event has not been seen with such a property.")
    return unknown(key, properties, f"{path}/property", "unknown_property", message)


def _time_problems(node: PropertyIs | Measured, spec: PropertySpec | None, zone: ZoneInfo) -> list[Problem]:
    if spec is None or FieldType.TIME in spec.kinds:
        return value_problems(node, _TIME, zone)
    if node.op is Op.BETWEEN and FieldType.NUMBER in spec.kinds:
        return [Problem(f"{node.path}/value", "type_mismatch", _("A number is needed here."))]
    return [Problem(f"{node.path}/op", "operator_mismatch", _("This property holds no times."))]


def _kind_problems(node: PropertyIs | Measured, spec: PropertySpec | None) -> list[Problem]:
    if spec is None or node.op in WITHOUT_VALUE:
        return []
    if kind_of(several(node)[0]) in spec.kinds:
        return []
    if node.op is Op.BETWEEN and FieldType.TIME in spec.kinds:
        message = time_needed()
    elif FieldType.TEXT in spec.kinds:
        message = _("A text is needed here.")
    else:
        message = _("A number is needed here.") if FieldType.NUMBER in spec.kinds else _("Yes or no is needed here.")
    return [Problem(f"{node.path}/value", "type_mismatch", message)]


def _agreement(node: PropertyIs | Measured, spec: PropertySpec | None) -> list[Problem]:
    at = f"{node.path}/value"
    values = several(node)
    if node.op in _NUMERIC:
        if _as_time(values, spec):
            return [Problem(f"{node.path}/op", "operator_mismatch", fitting(OPERATORS[FieldType.TIME]))]
        if not all(is_number(value) for value in values):
            return [Problem(at, "type_mismatch", _("A number is needed here."))]
        return order_problems(values, at, _UTC) if node.op is Op.BETWEEN else []
    if node.op in _TEXTUAL and not isinstance(node.value, str):
        return [Problem(at, "type_mismatch", _("A text is needed here."))]
    alike = all(isinstance(value, str) for value in values) or all(is_number(value) for value in values)
    if node.op in {Op.IN, Op.NOT_IN} and not alike:
        return [Problem(at, "type_mismatch", _("The values must be all texts or all numbers."))]
    return []


def _as_time(values: tuple[Scalar | None, ...], spec: PropertySpec | None) -> bool:
    """Whether somebody wrote "later than" as one writes "more than"."""
    days = all(isinstance(value, str) and (is_day(value) or is_instant(value)) for value in values)
    return days and (spec is None or FieldType.TIME in spec.kinds)


def _wrong_operator(path: str, kind: FieldType) -> Problem:
    return Problem(f"{path}/op", "operator_mismatch", fitting(OPERATORS[kind]))


def fitting(ops: Iterable[Op]) -> str:
    """What can be asked instead, as the text form says it."""
    words = [_WORDS.get(op, op.value.replace("_", " ")) for op in ops]
    return _("This comparison does not fit. Possible here: %(words)s.") % {"words": _(", ").join(words)}


def order_problems(values: tuple[Scalar | None, ...], at: str, zone: ZoneInfo) -> list[Problem]:
    if _ordered(values[0], zone) <= _ordered(values[1], zone):
        return []
    return [Problem(at, "wrong_order", _("The first value must not be greater than the second."))]


def several(node: FieldIs | PropertyIs | Measured) -> tuple[Scalar | None, ...]:
    return node.value if isinstance(node.value, tuple) else (node.value,)


def kind_of(value: object) -> FieldType:
    if isinstance(value, bool):
        return FieldType.BOOLEAN
    return FieldType.TEXT if isinstance(value, str) else FieldType.NUMBER


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _misfit(value: Scalar | None, spec: FieldSpec) -> str:
    """Why the value does not fit the field, or nothing."""
    match spec.type:
        case FieldType.TEXT:
            good, message = isinstance(value, str), _("A text is needed here.")
        case FieldType.NUMBER:
            good, message = is_number(value), _("A number is needed here.")
        case FieldType.BOOLEAN:
            good, message = isinstance(value, bool), _("Yes or no is needed here.")
        case FieldType.DATE:
            good, message = isinstance(value, str) and is_day(value), _("A date such as 2026-01-31 is needed.")
        case FieldType.TIME:
            good = isinstance(value, str) and (is_day(value) or is_instant(value))
            message = time_needed()
        case FieldType.CHOICE | FieldType.CHOICES:
            good = not isinstance(value, bool) and value in {choice.value for choice in spec.choices}
            message = _("This is not one of the choices of the field.")
            message += "" if good else _likely(str(value), {str(choice.value): choice for choice in spec.choices})
        case FieldType.SEALED:  # takes no value, so none comes here
            return ""
    return "" if good else message


def _ordered(value: object, zone: ZoneInfo) -> float:
    """Orders values of one checked kind: numbers by size, days and instants by time."""
    return float(value) if isinstance(value, int | float) else first_instant(str(value), zone).timestamp()
