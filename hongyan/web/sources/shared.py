"""What the views of this area share."""

import uuid
from typing import Any, cast

from django.http import Http404, HttpRequest

from hongyan.accounts.types import Actor
from hongyan.ingest.models_sources import Source
from hongyan.ingest.sources import selectors
from hongyan.ingest.sources.errors import SourceNotFound


def actor_of(request: HttpRequest) -> Actor:
    return cast("Actor", cast("Any", request).actor)


def source_or_404(request: HttpRequest, public_id: uuid.UUID) -> Source:
    try:
        return selectors.source_by_public_id(actor=actor_of(request), public_id=public_id)
    except SourceNotFound as error:
        raise Http404 from error


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def number_of(text: str, fallback: int = 0, *, most: int = 1_000_000) -> int:
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 12 else fallback
