"""What every staff page knows: navigation, language, permissions of the signed-in user."""

from typing import Any

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    del request
    return {}
