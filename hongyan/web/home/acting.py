from typing import cast

from django.http import HttpRequest

from hongyan.accounts.types import Actor
from hongyan.web.middleware import StaffRequest


def actor_of(request: HttpRequest) -> Actor:
    """The acting user of a staff page, attached by StaffMiddleware."""
    return cast("StaffRequest", request).actor
