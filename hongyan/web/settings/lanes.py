"""What each part of the work still has before it, since when, and what to do when that is too long ago.

Answers are right at any lag: what is not in a copy yet is read from the database. A lane that stays behind makes them
slow, and what it does happens late.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from hongyan.audience.population.checking import status as population_status
from hongyan.core.sql import statement
from hongyan.events.history.errors import HistoryProblem
from hongyan.events.history.selectors import status as history_status

MOST: Final = 100_000  # counted exactly up to here


@dataclass(frozen=True, slots=True)
class Kind:
    title: Promise
    what: Promise  # what the lane does, in one sentence
    late_s: float  # waiting for longer than this is worth looking at
    remedy: Promise


@dataclass(frozen=True, slots=True)
class LaneState:
    key: str
    title: str
    what: str
    waiting: int
    lag_s: float
    late: bool
    sentence: str
    remedy: str  # empty while all is well


_WORKER = gettext_lazy("Is a worker running? If one is and this grows, start more of them with HONGYAN_WORKERS.")
_COPY = gettext_lazy(
    "Is a worker running? A transaction that stays open for long, such as a backup, holds it up too. Answers stay "
    "right meanwhile, only slower."
)
KINDS: Final[dict[str, Kind]] = {
    "intake": Kind(
        gettext_lazy("Event intake"), gettext_lazy("Turns what websites and servers sent into facts"), 30, _WORKER
    ),
    "digest": Kind(
        gettext_lazy("Opens and clicks"), gettext_lazy("Tells people from machines and writes it down"), 60, _WORKER
    ),
    "shops": Kind(
        gettext_lazy("Messages of shops"),
        gettext_lazy("Turns what shops reported into orders"),
        120,
        gettext_lazy("Is a worker running? Messages that cannot be read are set aside under Data, Quarantine."),
    ),
    "membership": Kind(
        pgettext_lazy("lane", "Audiences kept current"), gettext_lazy("Moves people in and out as they act"), 30, _COPY
    ),
    "standing": Kind(
        gettext_lazy("Stages, RFM and rule tags"), gettext_lazy("Holds people against the rules as they act"), 60, _COPY
    ),
    "history": Kind(
        gettext_lazy("History of events"), gettext_lazy("Writes facts into files that answer quickly"), 120, _COPY
    ),
    "population": Kind(
        gettext_lazy("Columns of people"), gettext_lazy("Writes fields of people into files that answer quickly"), 180,
        _COPY,
    ),
    "outbox": Kind(
        pgettext_lazy("lane", "Outbox"),
        gettext_lazy("Sends mail that is due"),
        300,
        gettext_lazy(
            "Is a worker running, and does the mail server answer? Domains held back are listed below. In a large "
            "campaign some mail is due for a while before its turn comes."
        ),
    ),
    "jobs": Kind(
        pgettext_lazy("lane", "Jobs"),
        gettext_lazy("Starts imports, exports and reports"),
        120,
        gettext_lazy("Is a worker running? One that works on something long starts the next afterwards."),
    ),
    "imports": Kind(
        pgettext_lazy("lane", "Imports"),
        gettext_lazy("Brings in files that were handed over"),
        300,
        gettext_lazy("It has made no progress. Cancel it below and start again: what is in already is not doubled."),
    ),
    "sources": Kind(
        gettext_lazy("Scheduled sources"),
        gettext_lazy("Fetches new rows when they are due"),
        900,
        gettext_lazy("Open Data: the page of a source says why it does not come, and starts it by hand."),
    ),
    "seal": Kind(
        gettext_lazy("Sealing of the audit log"), gettext_lazy("Chains entries so that no one can be altered"), 300,
        _WORKER,
    ),
}  # fmt: skip


def lanes(*, now: datetime | None = None) -> list[LaneState]:
    """All lanes, in the order in which data passes them. Callers have checked SYSTEM_VIEW."""
    at = now or timezone.now()
    found = _waiting()
    failing = found.pop("failing")[0]
    waiting = {key: (number, _age(since, at)) for key, (number, since) in found.items()}
    waiting |= {"history": _history(), "population": _population()}
    return [_state(key, *waiting[key], failing=failing if key == "sources" else 0) for key in KINDS]


def _state(key: str, number: int, lag_s: float, *, failing: int) -> LaneState:
    kind = KINDS[key]
    late = bool(failing) or (number > 0 and lag_s > kind.late_s)
    sentence = _failing(failing) if failing else _SENTENCES.get(key, _sentence)(number, lag_s)
    return LaneState(
        key, str(kind.title), str(kind.what), number, lag_s, late, sentence, str(kind.remedy) if late else ""
    )


def _sentence(number: int, lag_s: float) -> str:
    if not number:
        return _("Nothing waits")
    return _("%(n)s waiting, the oldest for %(age)s") % {"n": _number(number), "age": age(lag_s)}


def _copying(number: int, lag_s: float) -> str:
    """Of the lanes that write copies, for which waiting a while is how they work."""
    if number < 0:
        return _("Not built yet; a worker builds it")
    return _sentence(number, lag_s)


def _importing(number: int, lag_s: float) -> str:
    if not number:
        return _("None is running")
    return _("%(n)s running, last progress %(age)s ago") % {"n": _number(number), "age": age(lag_s)}


def _failing(number: int) -> str:
    return ngettext("%(n)s source fails or is late", "%(n)s sources fail or are late", number) % {"n": number}


_SENTENCES: Final[dict[str, Callable[[int, float], str]]] = {
    "history": _copying,
    "population": _copying,
    "imports": _importing,
}


def age(seconds: float) -> str:
    """12 s · 5 min · 3 h · 2 days."""
    if seconds < 120:
        return _("%(n)s s") % {"n": round(seconds)}
    if seconds < 7200:
        return _("%(n)s min") % {"n": round(seconds / 60)}
    if seconds < 172_800:
        return _("%(n)s h") % {"n": round(seconds / 3600)}
    return _("%(n)s days") % {"n": round(seconds / 86_400)}


def _number(number: int) -> str:
    return _("more than %(n)s") % {"n": f"{MOST:,}"} if number > MOST else f"{number:,}"


def _waiting() -> dict[str, tuple[int, datetime | None]]:
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.web.settings", "lanes.sql", "waiting"))
        return {key: (number, since) for key, number, since in cursor.fetchall()}


def _history() -> tuple[int, float]:
    try:
        found = history_status()
    except HistoryProblem:  # said in full by the check of its place
        return -1, 0.0
    if not found.built:
        return (-1 if found.waiting else 0), 0.0
    return found.waiting, found.lag_s


def _population() -> tuple[int, float]:
    try:
        found = population_status()
    except HistoryProblem:
        return -1, 0.0
    return (found.waiting, found.lag_s) if found.built else (-1, 0.0)


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
