"""Event parts, sequences and objects against the catalogue."""

from django.utils.translation import gettext as _

from hongyan.audience.compiler.catalogue import (
    MEASURE_OPERATORS,
    Catalogue,
    EventSpec,
    FieldSpec,
    FieldType,
    Label,
    ObjectSpec,
)
from hongyan.audience.compiler.check_values import (
    compared_problems,
    fitting,
    known,
    order_problems,
    property_problems,
    unknown_property,
    value_problems,
)
from hongyan.audience.compiler.nodes import (
    OF_NUMBERS,
    OF_TIMES,
    Did,
    HasObject,
    Measured,
    Node,
    Op,
    PropertyIs,
    Sequence,
    Window,
    in_list,
    walk,
)
from hongyan.audience.types import Problem

_NUMBER = FieldSpec("", FieldType.NUMBER, Label(""))
_TIME = FieldSpec("", FieldType.TIME, Label(""))


def did_problems(node: Did, catalogue: Catalogue) -> list[Problem]:
    return [
        *_event(node.event, f"{node.path}/event", catalogue),
        *_constant(node),
        *_window(node.window, node.path, catalogue),
        *_where(node.where, node.event, catalogue),
    ]


def measured_problems(node: Measured, catalogue: Catalogue) -> list[Problem]:
    return [
        *_event(node.event, f"{node.path}/event", catalogue),
        *_measure(node, catalogue),
        *_window(node.window, node.path, catalogue),
        *_where(node.where, node.event, catalogue),
    ]


def sequence_problems(node: Sequence, catalogue: Catalogue) -> list[Problem]:
    found = _window(node.window, node.path, catalogue)
    for step in node.steps:
        head = "not_event" if step.absent else "event"
        found += _event(step.event, f"{step.path}/{head}", catalogue)
        found += _where(step.where, step.event, catalogue)
    return found


def object_problems(node: HasObject, catalogue: Catalogue) -> list[Problem]:
    spec = catalogue.objects.get(node.type_key)
    if spec is None:
        message = _("This kind of object does not exist.")
        return known(node.type_key, catalogue.objects, f"{node.path}/object", "unknown_object", message)
    found = _constant(node)
    for part in walk(node.where) if node.where is not None else ():
        if isinstance(part, PropertyIs):
            found += _object_field(part, spec, catalogue)
    return found


def _object_field(part: PropertyIs, spec: ObjectSpec, catalogue: Catalogue) -> list[Problem]:
    field = spec.fields.get(part.key)
    if field is None:
        message = _("This field does not exist.")
        return known(part.key, spec.fields, f"{part.path}/property", "unknown_property", message)
    return compared_problems(part, field, catalogue.zone)


def _event(name: str, path: str, catalogue: Catalogue) -> list[Problem]:
    return known(name, catalogue.events, path, "unknown_event", _("This event is not known."))


def _constant(node: Did | HasObject) -> list[Problem]:
    if node.count == 0 and node.op in {Op.LT, Op.GE}:
        message = _("This holds for everyone or for nobody, whatever they did.")
        return [Problem(f"{node.path}/count", "empty_condition", message)]
    return []


def _window(window: Window, path: str, catalogue: Catalogue) -> list[Problem]:
    if window.since and window.until:
        return order_problems((window.since, window.until), f"{path}/to", catalogue.zone)
    return []


def _where(where: Node | None, event: str, catalogue: Catalogue) -> list[Problem]:
    spec = catalogue.events.get(event)
    if where is None or spec is None:
        return []
    parts = [part for part in walk(where) if isinstance(part, PropertyIs)]
    return [problem for part in parts for problem in property_problems(part, spec.properties, part.key, catalogue.zone)]


def _measure(node: Measured, catalogue: Catalogue) -> list[Problem]:
    if node.op not in MEASURE_OPERATORS[node.measure]:
        return [Problem(f"{node.path}/op", "operator_mismatch", fitting(MEASURE_OPERATORS[node.measure]))]
    if node.measure in OF_TIMES:
        return value_problems(node, _TIME, catalogue.zone)
    spec = catalogue.events.get(node.event)
    if node.measure in OF_NUMBERS:
        return _numbers(node, spec, catalogue) + value_problems(node, _NUMBER, catalogue.zone)
    return property_problems(node, None if spec is None else spec.properties, node.property or "", catalogue.zone)


def _numbers(node: Measured, spec: EventSpec | None, catalogue: Catalogue) -> list[Problem]:
    if in_list(node.property or ""):
        return property_problems(node, None, node.property or "", catalogue.zone)
    if spec is None or spec.properties is None:
        return []
    found = spec.properties.get(node.property or "")
    if found is None:
        return [unknown_property(node.path, node.property or "", spec.properties)]
    if found.sealed or FieldType.NUMBER not in found.kinds:
        return [Problem(f"{node.path}/property", "not_a_number", _("This property holds no numbers."))]
    return []
