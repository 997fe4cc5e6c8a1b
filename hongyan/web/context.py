"""What every staff page knows: navigation, language, theme, permissions of the signed-in user."""

from typing import Any

from django.http import HttpRequest

from hongyan.accounts.types import Actor, contact_actor
from hongyan.web import nav

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "hongyan_theme"
RAIL_COOKIE = "hongyan_rail"


def shell(request: HttpRequest) -> dict[str, Any]:
    actor: Actor = getattr(request, "actor", None) or contact_actor()
    theme = request.COOKIES.get(THEME_COOKIE, "auto")
    match = request.resolver_match
    room = match.app_names[0] if match is not None and match.app_names else ""
    # Everything that brings data in is one room for people.
    room = "sources" if room in {"imports", "events", "identity", "commerce"} else room
    if room == "contacts" and match is not None and (match.url_name or "").startswith(nav.OF_SETTINGS):
        room = "settings"
    items = nav.items(actor, room) if actor.kind == "user" else []
    return {
        "actor": actor,
        "can": Can(actor),
        "signed_in": actor.kind == "user",
        "theme": theme if theme in THEMES else "auto",
        "rail_closed": request.COOKIES.get(RAIL_COOKIE) == "closed",
        "nav_items": items,
        "nav_more": nav.more(items),
    }


class Can:
    """``{% if can.contact_edit %}`` in templates: the permission's value with a dot written as an underscore."""

    def __init__(self, actor: Actor) -> None:
        self._granted = {permission.value.replace(".", "_") for permission in actor.permissions}

    def __getitem__(self, name: str) -> bool:
        from hongyan.accounts.permissions import Permission

        if name not in {permission.value.replace(".", "_") for permission in Permission}:
            raise KeyError(name)
        return name in self._granted
