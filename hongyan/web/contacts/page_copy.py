"""Everything held about a person, handed out: as JSON for programs, or as a ZIP that people can read."""

import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from typing import Any
from uuid import UUID

import orjson
from django.apps import apps
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.core import clock
from hongyan.web import figures
from hongyan.web.contacts.common import actor_of, contact_or_404
from hongyan.web.contacts.page import person_title

# How the rooms are called in the copy; what is missing here stands under its own name.
_KEYS = {"contacts": "contact", "audience": "tags_and_lists", "delivery": "mails", "analytics": "mail_marks"}


@require_POST
def export(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """GDPR 15 and 20, PIPL 45. Recorded by the room that opens the identity."""
    actor = actor_of(request)
    actor.require(Permission.CONTACT_EXPORT)
    actor.require(Permission.CONTACT_IDENTITY)
    found, identity = contact_or_404(request, public_id)
    held = everything(actor=actor, contact_id=found.pk)
    name = f"contact-{found.public_id}"
    if request.POST.get("format") == "zip":
        return _file(_archive(held, person_title(identity)), f"{name}.zip", "application/zip")
    return _file(_json(held), f"{name}.json", "application/json")


def everything(*, actor: Actor, contact_id: int) -> dict[str, Any]:
    """What each room's ``privacy.export`` says; a room that is added is in it from its first day."""
    held: dict[str, Any] = {}
    for config in apps.get_app_configs():
        name = f"{config.name}.privacy"
        if not config.name.startswith("hongyan.") or find_spec(name) is None:
            continue
        export_of = getattr(import_module(name), "export", None)
        if export_of is None or set(signature(export_of).parameters) != {"actor", "contact_id"}:
            continue
        found = _plain(export_of(actor=actor, contact_id=contact_id))
        room = config.name.removeprefix("hongyan.")
        held[_KEYS.get(room, room)] = found
    return dict(sorted(held.items(), key=lambda item: (item[0] != "contact", item[0])))


def _plain(value: Any) -> Any:
    """Rows of rooms as JSON can carry them."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, IntEnum):
        return value.name.lower()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (str, int, float, bool, type(None), datetime, date, UUID)):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).hex()
    if isinstance(value, Iterable):
        return [_plain(item) for item in value]
    return str(value)


def _json(held: dict[str, Any]) -> bytes:
    return orjson.dumps(held, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)


def _archive(held: dict[str, Any], title: str) -> bytes:
    """index.html to read, data.json for programs. No names of people in the names of files."""
    page = render_to_string(
        "contacts/copy.html",
        {
            "title": title,
            "at": clock.now(),
            "sections": [(_heading(key), _shown(value)) for key, value in held.items()],
        },
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.html", page)
        archive.writestr("data.json", _json(held))
    return target.getvalue()


def _heading(key: str) -> str:
    return {
        "contact": _("Profile and consent"),
        "tags_and_lists": _("Tags and lists"),
        "mails": _("Mails"),
        "mail_marks": _("What was done with mails"),
        "events": _("Events"),
        "commerce": _("Orders"),
        "identity": _("Merges of records"),
        "campaigns": _("Campaigns"),
        "ingest": _("Imports and sources"),
    }.get(key, key)


def _shown(value: Any) -> dict[str, Any]:
    """For the template: a table for rows, pairs for facts, a text for the rest."""
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        names = list(dict.fromkeys(name for row in value for name in row))
        return {"kind": "table", "names": names, "rows": [[_shown(row.get(name)) for name in names] for row in value]}
    if isinstance(value, list):
        return {"kind": "list", "entries": [_shown(item) for item in value]}
    if isinstance(value, dict):
        return {"kind": "facts", "pairs": [(key, _shown(item)) for key, item in value.items()]}
    return {"kind": "text", "text": _text(value)}


def _text(value: Any) -> str:
    if value in (None, ""):
        return "—"
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, datetime):
        return figures.moment(value)
    return str(value)


def _file(body: bytes, name: str, kind: str) -> HttpResponse:
    answer = HttpResponse(body, content_type=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
