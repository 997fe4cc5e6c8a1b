"""What the views of this area share."""

import uuid
from datetime import date, datetime
from typing import Any, cast

import orjson
from django.http import Http404, HttpRequest

from hongyan.accounts.types import Actor
from hongyan.core.crypto.keyring import keyring
from hongyan.core.crypto.tokens import TokenRefused
from hongyan.ingest import selectors
from hongyan.ingest.commerce.services import is_commerce
from hongyan.ingest.models import Import

PER_PAGE = 50


def actor_of(request: HttpRequest) -> Actor:
    return cast("Actor", cast("Any", request).actor)


def import_or_404(request: HttpRequest, public_id: uuid.UUID) -> Import:
    try:
        row = selectors.import_by_public_id(actor=actor_of(request), public_id=public_id)
    except Import.DoesNotExist as error:
        raise Http404 from error
    if not is_commerce(row):
        raise Http404
    return row


def write_place(place: tuple[datetime, int] | None) -> str:
    """Where a page ended, for the address of the next: opaque and signed."""
    if place is None:
        return ""
    return keyring().signer.sign("cursor", orjson.dumps([place[0].isoformat(), place[1]]))


def read_place(text: str) -> tuple[datetime, int] | None:
    """A cursor that is not ours begins at the first page."""
    if not text:
        return None
    try:
        at, number = orjson.loads(keyring().signer.unsign("cursor", text))
        return datetime.fromisoformat(at), int(number)
    except (TokenRefused, ValueError, TypeError):
        return None


def read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
