"""Every way that data comes in, at a glance. Each asks the room that knows; what somebody may not see is left out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Sum
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.commerce.models import Order, Shop
from hongyan.core.clock import now
from hongyan.events.models import EventName, EventViolation, EventVolume
from hongyan.identity.models import Candidate
from hongyan.ingest.sources import selectors
from hongyan.ingest.sources.types import Health
from hongyan.web.sources import labels


@dataclass(frozen=True, slots=True)
class Area:
    """rows_label: what is counted today; trouble_label: what the second figure counts."""

    title: str
    about: str
    icon: str
    url: str
    act: str
    health: Health
    rows_label: str
    trouble_label: str

    @property
    def state(self) -> labels.State:
        return labels.state(self.health.state)


def areas(actor: Actor) -> list[Area]:
    makers: list[tuple[Permission, str, Callable[[Actor, str], Area]]] = [
        (Permission.IMPORT_RUN, "imports:index", _imports),
        (Permission.SOURCE_EDIT, "sources:list", _sources),
        (Permission.REPORT_VIEW, "events:index", _events),
        (Permission.CONTACT_VIEW, "commerce:index", _shops),
        (Permission.CONTACT_MERGE, "identity:index", _duplicates),
        (Permission.SOURCE_EDIT, "sources:quarantine", _quarantine),
    ]
    listed = []
    for permission, name, make in makers:
        if actor.may(permission) and (url := _url(name)):
            listed.append(make(actor, url))
    return listed


def _url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _imports(actor: Actor, url: str) -> Area:
    return Area(
        _("File imports"),
        _("Contacts from CSV and Excel, once."),
        "file-import",
        url,
        _("See imports"),
        selectors.imports_health(actor=actor),
        _("rows imported today"),
        _("imports failed today"),
    )


def _sources(actor: Actor, url: str) -> Area:
    count, health = selectors.sources_health(actor=actor)
    about = _("Databases, APIs and folders, read again and again.") if count else _("No source has been set up yet.")
    return Area(
        _("Scheduled sources"),
        about,
        "clock-record",
        url,
        _("See sources"),
        health,
        _("new or changed today"),
        _("failed runs today"),
    )


def _events(actor: Actor, url: str) -> Area:
    del actor
    fresh = EventName.objects.aggregate(at=Max("last_seen_at"))["at"]
    today = EventVolume.objects.filter(day=now().date()).aggregate(n=Sum("count"))["n"] or 0
    broken = EventViolation.objects.count()
    return Area(
        _("Events"),
        _("What people do on the web and in apps, as it happens."),
        "activity",
        url,
        _("See events"),
        Health("ok" if fresh else "idle", fresh, today, broken),
        _("events today"),
        _("kinds of violations"),
    )


def _shops(actor: Actor, url: str) -> Area:
    del actor
    shops = list(Shop.objects.all())
    fresh: datetime | None = max((shop.received_at for shop in shops if shop.received_at), default=None)
    troubled = sum(1 for shop in shops if not shop.connected or shop.test_problem)
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0)
    today = Order.objects.filter(placed_at__gte=midnight).count()
    return Area(
        _("Shops"),
        _("Orders and products of your shops."),
        "shopping-cart",
        url,
        _("See orders"),
        Health("failing" if troubled else "ok" if fresh else "idle", fresh, today, troubled),
        _("orders today"),
        _("shops with trouble"),
    )


def _duplicates(actor: Actor, url: str) -> Area:
    del actor
    waiting = Candidate.objects.filter(verdict__in=["pending", "review"])
    count, newest = waiting.count(), waiting.aggregate(at=Max("created_at"))["at"]
    merged = Candidate.objects.filter(verdict="merged", decided_at__gte=now().replace(hour=0, minute=0)).count()
    return Area(
        _("Duplicates"),
        _("Pairs of contacts that may be one person."),
        "users-group",
        url,
        _("Review pairs"),
        Health("waiting" if count else "clear", newest, merged, count),
        _("merged today"),
        _("pairs to review"),
    )


def _quarantine(actor: Actor, url: str) -> Area:
    count, newest = selectors.quarantine_waiting(actor=actor)
    return Area(
        _("Quarantine"),
        _("Records that could not be taken, each with its reason."),
        "shield-half",
        url,
        _("Open the quarantine"),
        Health("waiting" if count else "clear", newest, 0, count),
        "",
        _("records waiting"),
    )
