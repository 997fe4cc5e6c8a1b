"""What the pages of this area share."""

import json
from typing import Any

from django.http import HttpRequest
from django.utils import translation

from hongyan.accounts.types import Actor
from hongyan.audience.types import Problem


def actor_of(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def language() -> str:
    return "zh-hans" if (translation.get_language() or "zh").startswith("zh") else "en"


def tree_from(text: str) -> Any:
    """JSON text of a form; None, which no check accepts, when it is none or too large."""
    if len(text) > 200_000:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def as_json(problems: list[Problem] | tuple[Problem, ...]) -> list[dict[str, str]]:
    return [{"path": p.path, "code": p.code, "message": p.message} for p in problems]
