"""The inputs of a hosted form, made of the keys it asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from hongyan.contacts.fields import definitions
from hongyan.contacts.models import FieldDefinition, SignupForm
from hongyan.contacts.signup_forms import ASKABLE
from hongyan.contacts.values import CUSTOM

_KINDS = {"phone": "tel", "birth_date": "date"}
_AUTOCOMPLETE = {
    "full_name": "name",
    "family_name": "family-name",
    "given_name": "given-name",
    "company": "organization",
    "phone": "tel",
    "city": "address-level2",
    "birth_date": "bday",
}
_CUSTOM_KINDS = {
    FieldDefinition.Type.NUMBER: "number",
    FieldDefinition.Type.BOOLEAN: "boolean",
    FieldDefinition.Type.DATE: "date",
    FieldDefinition.Type.DATETIME: "datetime-local",
    FieldDefinition.Type.CHOICE: "choice",
    FieldDefinition.Type.CHOICES: "choices",
    FieldDefinition.Type.URL: "url",
}


@dataclass(frozen=True, slots=True)
class Input:
    """name: of the input, also its id. kind: an input type, or boolean, choice, choices.

    options: value, label, chosen.
    """

    name: str
    label: str
    kind: str
    value: str = ""
    autocomplete: str = ""
    options: tuple[tuple[str, str, bool], ...] = ()
    error: str = ""


def typed_values(form: SignupForm, data: QueryDict) -> dict[str, Any]:
    """Only what the form asks; everything else that was sent is ignored."""
    several = {CUSTOM + item.key for item in definitions() if item.type == FieldDefinition.Type.CHOICES}
    values: dict[str, Any] = {"email": data.get("email", "")[:400]}
    for key in form.fields:
        values[key] = data.getlist(key)[:200] if key in several else data.get(key, "")[:4000]
    return values


def inputs_of(form: SignupForm, values: Mapping[str, Any], errors: Mapping[str, str], *, chinese: bool) -> list[Input]:
    custom = {CUSTOM + item.key: item for item in definitions() if not item.sensitive}
    inputs = []
    for key in form.fields:
        if key in ASKABLE:
            inputs.append(
                Input(
                    name=key,
                    label=str(ASKABLE[key]),
                    kind=_KINDS.get(key, "text"),
                    value=str(values.get(key) or ""),
                    autocomplete=_AUTOCOMPLETE[key],
                    error=errors.get(key, ""),
                )
            )
        elif key in custom:
            inputs.append(_custom(key, custom[key], values.get(key), errors.get(key, ""), chinese=chinese))
    return inputs


def _custom(key: str, definition: FieldDefinition, value: Any, error: str, *, chinese: bool) -> Input:
    chosen = set(value if isinstance(value, list) else [value])
    return Input(
        name=key,
        label=definition.label_zh if chinese else definition.label_en,
        kind=_CUSTOM_KINDS.get(FieldDefinition.Type(definition.type), "text"),
        value="" if isinstance(value, list) else str(value or ""),
        options=tuple(
            (option["value"], option["label_zh" if chinese else "label_en"], option["value"] in chosen)
            for option in definition.options
        ),
        error=error,
    )
