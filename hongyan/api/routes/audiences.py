"""Audiences: count and explain a description, keep it under a name."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import get_language
from ninja import Router, Schema, Status

from hongyan.accounts.permissions import Permission
from hongyan.api.auth import actor
from hongyan.api.bodies import Body
from hongyan.audience import saved, segments, selectors
from hongyan.audience.models import SavedAudience

router = Router()


class Tree(Body):
    """tree: see docs/segments.md, e.g. {"all": [{"field": "city", "op": "=", "value": "上海"}, {"tag": "vip"}]}."""

    tree: dict[str, Any]


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
def audience_count(request: HttpRequest, data: Tree) -> Counted:
    language = get_language() or "zh-hans"
    return Counted(
        count=selectors.count(actor=actor(request), tree=data.tree),
        sentence=segments.explain(data.tree, language),
        text=segments.to_text(data.tree),
    )


@router.post("/read", response=Read, summary="The tree and the sentence that the text form of an audience means")
def audience_read_text(request: HttpRequest, data: Text) -> Read:
    actor(request).require(Permission.CONTACT_VIEW)
    tree = segments.from_text(data.text)
    sentence = segments.explain(tree, get_language() or "zh-hans")
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
        sentence=segments.explain(version.tree, get_language() or "zh-hans"),
    )
