"""The rail: which rooms there are, and which of them this person may enter."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor

P = Permission


@dataclass(frozen=True, slots=True)
class Room:
    """One entry. any_of: the actor needs one of these. key: the second key of the ``g`` shortcut."""

    name: str
    label: Promise
    icon: str
    key: str
    any_of: tuple[Permission, ...] = ()
    bottom: bool = False

    def admits(self, actor: Actor) -> bool:
        return not self.any_of or any(actor.may(permission) for permission in self.any_of)


ROOMS: Sequence[Room] = (
    Room("home", _("Home"), "home", "h"),
    Room("contacts", _("Contacts"), "users", "c", (P.CONTACT_VIEW,)),
    Room("audiences", _("Audiences"), "users-group", "a", (P.CONTACT_VIEW,)),
    Room("mails", _("Mails"), "mail", "m", (P.CONTENT_EDIT, P.CAMPAIGN_EDIT, P.CAMPAIGN_APPROVE)),
    Room("campaigns", _("Campaigns"), "send", "k", (P.CAMPAIGN_EDIT, P.CAMPAIGN_SEND, P.CAMPAIGN_APPROVE)),
    Room("reports", _("Reports"), "chart-bar", "r", (P.REPORT_VIEW,)),
    Room("sources", _("Data"), "database-import", "d", (P.IMPORT_RUN, P.SOURCE_EDIT, P.CONTACT_MERGE, P.REPORT_VIEW)),
    Room("settings", _("Settings"), "settings", "s"),
    Room("catcher", _("Caught mail"), "mailbox", "i", (P.SYSTEM_VIEW,), bottom=True),
)


OF_SETTINGS = ("field", "topic", "form", "suppression")  # pages of contacts that people reach from the settings


@cache
def room_url(name: str) -> str | None:
    """The landing page is named ``<room>:index``; a room without one is not there yet and is not shown."""
    try:
        return reverse(f"{name}:index")
    except NoReverseMatch:
        return None


@dataclass(frozen=True, slots=True)
class NavItem:
    room: Room
    url: str
    current: bool

    @property
    def shortcut(self) -> str:
        return f"g {self.room.key}"


PHONE_PLACES = 5


def more(shown: Sequence[NavItem]) -> Sequence[NavItem]:
    """What a telephone's bar has no place for and keeps behind “More”; one alone would not be worth a menu."""
    return shown[PHONE_PLACES:] if len(shown) > PHONE_PLACES + 1 else ()


def items(actor: Actor, current: str) -> list[NavItem]:
    return [
        NavItem(room, url, room.name == current)
        for room in ROOMS
        if room.admits(actor) and (url := room_url(room.name)) is not None
    ]
