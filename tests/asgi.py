"""The application of the browser tests: the real one, and a way to make it forget what it cached of a database that the
test before has emptied."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from hongyan.config.asgi import application as real

Scope = dict[str, Any]
FORGET = "/__forget__"


async def application(
    scope: Scope, receive: Callable[[], Awaitable[Any]], send: Callable[[dict[str, Any]], Awaitable[None]]
) -> None:
    if scope["type"] == "http" and scope["path"] == FORGET:
        from django.contrib.contenttypes.models import ContentType

        from hongyan.core.crypto.keyring import forget_keyring

        forget_keyring()
        ContentType.objects.clear_cache()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    await real(scope, receive, send)
