"""Lists as people like to see them. Everybody's own; no permission beyond being signed in."""

from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from hongyan.accounts.errors import BadValue, NotFound
from hongyan.accounts.models import SavedView
from hongyan.accounts.types import Actor

_PLACE = frozenset({"after", "before", "page"})  # where one was in the list is not part of the view


def view_save(*, actor: Actor, page: str, name: str, query: str) -> SavedView:
    """Keep a page's query string under a name; the same name again replaces it. Raises BadValue."""
    user_id = _user(actor)
    if not name.strip():
        raise BadValue("name")
    kept = urlencode([(key, value) for key, value in parse_qsl(query.lstrip("?")) if key not in _PLACE])
    if len(kept) > 2000:
        raise BadValue("query")
    view, _ = SavedView.objects.update_or_create(
        user_id=user_id, page=page, name=name.strip()[:60], defaults={"query": kept}
    )
    return view


def view_delete(*, actor: Actor, view_id: UUID) -> None:
    """Raises NotFound, also for somebody else's."""
    deleted, _ = SavedView.objects.filter(user_id=_user(actor), public_id=view_id).delete()
    if not deleted:
        raise NotFound


def views_of(*, actor: Actor, page: str) -> list[SavedView]:
    if actor.kind != "user" or actor.id is None:
        return []
    return list(SavedView.objects.filter(user_id=actor.id, page=page).order_by("name"))


def _user(actor: Actor) -> int:
    if actor.kind != "user" or actor.id is None:
        raise NotFound
    return actor.id
