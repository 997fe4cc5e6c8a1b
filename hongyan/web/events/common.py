"""What the views of this area share."""

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.functional import Promise

from hongyan.accounts.types import Actor
from hongyan.web.events.words import REFUSALS


def actor_of(request: HttpRequest) -> Actor:
    return cast("Actor", cast("Any", request).actor)


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def refuse(form: forms.Form, code: str, name: str, params: dict[str, Any]) -> None:
    """A service's refusal, beside the field it names."""
    text: str | Promise = REFUSALS.get(code, code)
    form.add_error(name if name in form.fields else None, ValidationError(str(text) % params))
