"""Saved audiences, lists and tags in the command palette."""

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.models import ContactList, SavedAudience, Tag
from hongyan.web.audiences.words import tag_name
from hongyan.web.search import SearchHit, provider


@provider("audiences", order=20)
def audiences(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    if not text or not actor.may(Permission.CONTACT_VIEW):
        return []
    hits = [
        SearchHit(
            title=found.name,
            url=reverse("audiences:audience", args=[found.public_id]),
            kind=_("Saved audiences"),
            icon="users-group",
        )
        for found in SavedAudience.objects.filter(name__icontains=text)[:limit]
    ]
    hits += [
        SearchHit(title=found.name, url=reverse("audiences:list", args=[found.public_id]), kind=_("Lists"), icon="list")
        for found in ContactList.objects.filter(name__icontains=text)[:limit]
    ]
    tags = Tag.objects.filter(Q(name_zh__icontains=text) | Q(name_en__icontains=text) | Q(key__icontains=text))
    hits += [
        SearchHit(
            title=tag_name(tag), url=reverse("audiences:tag_edit", args=[tag.public_id]), kind=_("Tags"), icon="tag"
        )
        for tag in tags[:limit]
    ]
    return hits[:limit]
