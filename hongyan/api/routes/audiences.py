"""Audiences: count and explain a description, keep it under a name."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status

from hongyan.accounts.permissions import Permission
from hongyan.api.auth import actor
from hongyan.api.bodies import Body
from hongyan.api.paging import Listing, read_cursor, write_cursor
from hongyan.api.problems import Problem
from hongyan.audience import saved, segments, selectors
from hongyan.audience.models import SavedAudience
from hongyan.audience.people import members_after
from hongyan.audience.why.answers import Reason as Why
from hongyan.audience.why.answers import why
from hongyan.contacts.selectors import contact_by_public_id

router = Router()
MOST_IDS: Final = 10_000  # of one page of members: about as long to read as to compute


class Described(Body):
    """Either the tree, e.g. {"all": [{"field": "city", "op": "=", "value": "上海"}, {"tag": "vip"}]}, or its text form,
    e.g. city = "上海" and tag("vip"); see docs/segments.md."""

    tree: dict[str, Any] | None = None
    text: str | None = None

    def meant(self) -> dict[str, Any]:
        """The tree. Raises BadText, Problem."""
        if (self.tree is None) == (self.text is None):
            raise Problem(422, "validation", _("Say either the tree or the text."))
        return segments.from_text(self.text) if self.text is not None else self.tree or {}


class DescribedFor(Described):
    """contact: whom to look at."""

    contact: UUID


class Text(Body):
    """text: see docs/segments.md, e.g. city = "上海" and did("email_opened") >= 3 in 90d."""

    text: str


class Read(Schema):
    tree: dict[str, Any]
    text: str
    sentence: str


class Counted(Schema):
    count: int
    sentence: str
    text: str


class Event(Schema):
    id: int
    name: str
    at: datetime


class Evidence(Schema):
    """count: how many events counted (of a sequence: steps found). events: the newest of them, or the steps in order.
    value: what a measure or field comes to. nearest: where nothing counted, the newest event that came close."""

    count: int | None
    events: list[Event]
    value: Any
    nearest: Event | None


class Reason(Schema):
    """path: JSON pointer of the part in the tree. kind: all, any, not, audience or condition."""

    path: str
    kind: str
    holds: bool
    sentence: str
    parts: list["Reason"]
    evidence: Evidence | None


class NewAudience(Body):
    name: str
    tree: dict[str, Any]
    description: str = ""


class AudienceOut(Schema):
    id: UUID
    name: str
    description: str
    tree: dict[str, Any]
    text: str
    sentence: str


@router.post("/count", response=Counted, summary="How many people a description means, and the sentence for it")
def audience_count(request: HttpRequest, data: Described) -> Counted:
    who, tree = actor(request), data.meant()
    return Counted(
        count=selectors.count(actor=who, tree=tree),
        sentence=segments.explain(tree, _language()),
        text=segments.to_text(tree),
    )


@router.post("/members", response=Listing[UUID], summary="The contacts a description means, by their ids")
def audience_members(
    request: HttpRequest, data: Described, cursor: str | None = None, limit: int = 200
) -> Listing[UUID]:
    after, most = read_cursor(cursor) or 0, min(max(limit, 1), MOST_IDS)
    if not isinstance(after, int):
        raise Problem.bad_cursor()
    found = members_after(actor=actor(request), tree=data.meant(), after=after, limit=most + 1)
    following = write_cursor(found[most - 1][0]) if len(found) > most else None
    return Listing[UUID](items=[public_id for _id, public_id in found[:most]], next=following)


@router.post("/why", response=Reason, summary="Why a contact is meant, or not: each condition and what decided it")
def audience_why(request: HttpRequest, data: DescribedFor) -> Why:
    return _why(request, data.meant(), data.contact)


@router.post("/read", response=Read, summary="The tree and the sentence that the text form of an audience means")
def audience_read_text(request: HttpRequest, data: Text) -> Read:
    actor(request).require(Permission.CONTACT_VIEW)
    tree = segments.from_text(data.text)
    sentence = segments.explain(tree, _language())
    return Read(tree=tree, text=segments.to_text(tree), sentence=sentence)


@router.get("", response=list[AudienceOut], summary="Saved audiences")
def audience_list(request: HttpRequest) -> list[AudienceOut]:
    who = actor(request)
    who.require(Permission.CONTACT_VIEW)
    ids = SavedAudience.objects.order_by("name").values_list("public_id", flat=True)
    return [_out(request, public_id) for public_id in ids]


@router.post("", response={201: AudienceOut}, summary="Save an audience")
def audience_create(request: HttpRequest, data: NewAudience) -> Status[AudienceOut]:
    made = saved.audience_create(actor=actor(request), name=data.name, tree=data.tree, description=data.description)
    return Status(201, _out(request, made.public_id))


@router.get("/{audience_id}/why/{contact_id}", response=Reason, summary="Why a contact is in a saved audience, or not")
def audience_why_saved(request: HttpRequest, audience_id: UUID, contact_id: UUID) -> Why:
    _audience, version = selectors.audience_by_id(actor=actor(request), public_id=audience_id)
    return _why(request, version.tree, contact_id)


@router.get("/{audience_id}", response=AudienceOut, summary="One saved audience")
def audience_read(request: HttpRequest, audience_id: UUID) -> AudienceOut:
    return _out(request, audience_id)


def _out(request: HttpRequest, public_id: UUID) -> AudienceOut:
    audience, version = selectors.audience_by_id(actor=actor(request), public_id=public_id)
    return AudienceOut(
        id=audience.public_id,
        name=audience.name,
        description=audience.description,
        tree=version.tree,
        text=segments.to_text(version.tree),
        sentence=segments.explain(version.tree, _language()),
    )


def _why(request: HttpRequest, tree: Any, public_id: UUID) -> Why:
    who = actor(request)
    contact, _identity = contact_by_public_id(actor=who, public_id=public_id, audit=False)
    return why(actor=who, tree=tree, contact_id=contact.pk, language=_language())


def _language() -> str:
    return get_language() or "zh-hans"
