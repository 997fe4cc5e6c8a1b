"""What the views of this area share."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.http import Http404, HttpRequest, HttpResponse

from hongyan.accounts.errors import NotFound
from hongyan.accounts.models import User
from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.jobs.errors import JobNotFound

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def acting(request: HttpRequest) -> Actor:
    return cast("Actor", cast("Any", request).actor)


def me(request: HttpRequest) -> User:
    return cast("User", request.user)


def needs(permission: Permission) -> Callable[[View[P]], View[P]]:
    """The page is for who has the permission; services check again. What is not there answers 404."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            acting(request).require(permission)
            try:
                return view(request, *args, **kwargs)
            except (NotFound, JobNotFound) as error:
                raise Http404 from error

        return cast("View[P]", guarded)

    return decorate
