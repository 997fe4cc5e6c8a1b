"""Tags: the taxonomy, who holds one, giving and taking."""

from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router, Schema

from hongyan.accounts.permissions import Permission
from hongyan.api.auth import actor
from hongyan.api.bodies import Body
from hongyan.api.lookup import contact_ids_of
from hongyan.audience.selectors import tag_sizes, tag_tree
from hongyan.audience.tags import tag_by_key, tag_contacts, untag_contacts
from hongyan.audience.types import OnOtherTag

router = Router()


class TagOut(Schema):
    key: str
    name_zh: str
    name_en: str
    group: str
    exclusive: bool
    contacts: int


class Members(Body):
    """contacts: public ids, at most 1,000 a call."""

    contacts: list[UUID] = Field(max_length=1000)
    on_other: OnOtherTag = OnOtherTag.REPLACE


class Given(Schema):
    added: int
    replaced: int
    kept: int
    already: int


class Taken(Schema):
    removed: int


@router.get("", response=list[TagOut], summary="All tags with their sizes")
def tags_list(request: HttpRequest) -> list[TagOut]:
    who = actor(request)
    who.require(Permission.CONTACT_VIEW)
    sizes = tag_sizes(actor=who)
    return [
        TagOut(
            key=tag.key,
            name_zh=tag.name_zh,
            name_en=tag.name_en,
            group=group.key,
            exclusive=group.exclusive,
            contacts=sizes.get(tag.pk, 0),
        )
        for group, tags in tag_tree(actor=who)
        for tag in tags
    ]


@router.post("/{key}/members", response=Given, summary="Give the tag to contacts")
def tag_give(request: HttpRequest, key: str, data: Members) -> Given:
    who = actor(request)
    outcome = tag_contacts(
        actor=who, tag=tag_by_key(key), contact_ids=contact_ids_of(data.contacts), source="api", on_other=data.on_other
    )
    return Given(added=outcome.added, replaced=outcome.replaced, kept=outcome.kept, already=outcome.already)


@router.post("/{key}/members/removal", response=Taken, summary="Take the tag from contacts")
def tag_take(request: HttpRequest, key: str, data: Members) -> Taken:
    outcome = untag_contacts(
        actor=actor(request), tag=tag_by_key(key), contact_ids=contact_ids_of(data.contacts), source="api"
    )
    return Taken(removed=outcome.removed)
