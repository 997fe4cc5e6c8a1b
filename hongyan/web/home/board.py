"""What the home page says, gathered from the rooms that know it. Reads only; each part asks the permission it needs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.campaigns import selectors as campaigns
from hongyan.campaigns.selectors import Attention, FirstSteps, Result
from hongyan.campaigns.states import State
from hongyan.delivery.types import MessageState
from hongyan.ingest import selectors as imports
from hongyan.ingest.models import Import
from hongyan.ingest.types import ImportState
from hongyan.web.figures import number

P = Permission
IMPORTS_SHOWN = 3
RESULTS_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Item:
    """One line of “needs you now”. tone: bad, warn, busy, info, quiet. act: the words on its button."""

    title: str
    why: str
    tone: str
    icon: str
    url: str
    act: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the first campaign. current: the first one not done."""

    title: str
    text: str
    url: str
    act: str
    done: bool
    current: bool = False


@dataclass(frozen=True, slots=True)
class ResultRow:
    name: str
    url: str
    state: str
    started_at: datetime | None
    total: int
    sent: int
    bounced: int
    uncertain: int
    refused: int


def link(name: str, **kwargs: Any) -> str:
    """The address, or "" when that room has no such page yet: then no link is shown."""
    try:
        return reverse(name, kwargs=kwargs or None)
    except NoReverseMatch:
        return ""


def attention(actor: Actor) -> list[Item]:
    """Most urgent first; only what this person can do something about."""
    return [_campaign_item(entry) for entry in campaigns.needs_attention(actor)] + _import_items(actor)


def results(actor: Actor) -> list[ResultRow]:
    return [_result(entry) for entry in campaigns.recent_results(actor, RESULTS_SHOWN)]


def first_steps(actor: Actor) -> list[Step]:
    """Empty for people who do not prepare campaigns, and once a first one of their own has gone out."""
    if not actor.may(P.CAMPAIGN_EDIT):
        return []
    state = campaigns.first_steps_state(actor)
    return [] if state.has_sent else _mark_current(_steps(state))


# -- campaigns ---------------------------------------------------------------------------------------------------------


def _campaign_item(entry: Attention) -> Item:
    tone, icon, act = {
        "approve": ("warn", "user-check", _("Review")),
        "changes_requested": ("warn", "message-2", _("Change it")),
        "failed": ("bad", "alert-triangle", _("See why")),
        "paused": ("warn", "player-pause", _("Look")),
        "uncertain": ("warn", "help-circle", _("Resolve")),
        "sending": ("busy", "send", _("Watch")),
        "scheduled": ("info", "calendar-time", _("Check")),
    }[entry.kind]
    url = link("campaigns:page", public_id=entry.public_id) or link("campaigns:index")
    return Item(entry.name, _campaign_why(entry), tone, icon, url, act, entry.at)


def _campaign_why(entry: Attention) -> str:
    n = entry.count or 0
    if entry.kind == "changes_requested" and entry.note:
        return _("came back with a request: %(note)s") % {"note": entry.note}
    texts = {
        "approve": _("waits for your approval"),
        "changes_requested": _("came back to you"),
        "failed": _("stopped with an error"),
        "paused": ngettext("is paused, %(n)s mail still to send", "is paused, %(n)s mails still to send", n),
        "uncertain": ngettext("%(n)s mail may or may not have arrived", "%(n)s mails may or may not have arrived", n),
        "sending": ngettext("is going out to %(n)s person", "is going out to %(n)s people", n),
        "scheduled": _("goes out soon"),
    }
    text = texts[entry.kind]
    return text % {"n": number(n)} if "%(n)s" in text else text


def _result(entry: Result) -> ResultRow:
    campaign, progress = entry.campaign, entry.progress
    return ResultRow(
        name=campaign.name,
        url=link("reports:campaign", public_id=campaign.public_id)
        or link("campaigns:page", public_id=campaign.public_id),
        state=str(State(campaign.state)),
        started_at=campaign.started_at,
        total=progress.total,
        sent=progress.count(MessageState.SENT),
        bounced=progress.count(MessageState.BOUNCED, MessageState.FAILED),
        uncertain=progress.count(MessageState.UNCERTAIN),
        refused=progress.count(MessageState.REFUSED),
    )


# -- imports -----------------------------------------------------------------------------------------------------------


def _import_items(actor: Actor) -> list[Item]:
    if not actor.may(P.IMPORT_RUN):
        return []
    recent = imports.import_page(actor=actor, limit=20)
    told = [_import_item(row) for row in recent if _is_mine(row, actor)]
    return [item for item in told if item is not None][:IMPORTS_SHOWN]


def _is_mine(row: Import, actor: Actor) -> bool:
    return row.owner_id == actor.id


def _import_item(row: Import) -> Item | None:
    url = link("imports:show", public_id=row.public_id)
    if row.state == ImportState.FAILED:
        return Item(row.file_name, _("could not be imported"), "bad", "file-x", url, _("See why"), row.finished_at)
    if row.state == ImportState.DRAFT:
        return Item(row.file_name, _("waits to be imported"), "quiet", "file-import", url, _("Go on"), row.created_at)
    if row.state == ImportState.FINISHED and row.tally.rejected:
        text = ngettext("%(n)s row was rejected", "%(n)s rows were rejected", row.tally.rejected)
        why = text % {"n": number(row.tally.rejected)}
        return Item(row.file_name, why, "warn", "file-alert", url, _("See the rows"), row.finished_at)
    return None


# -- the first campaign ------------------------------------------------------------------------------------------------


def _steps(state: FirstSteps) -> list[Step]:
    campaign = link("campaigns:page", public_id=state.draft) if state.draft else link("campaigns:create")
    return [
        Step(
            _("Choose the recipients"),
            _("Look at the demo audiences, or import a file of your own customers."),
            link("audiences:index"),
            _("See audiences"),
            done=state.has_audience,
        ),
        Step(
            _("Set the goal"),
            _("Start a campaign: its type and lifecycle stage decide caps, footer and comparison."),
            campaign,
            _("Start a campaign"),
            done=state.has_campaign,
        ),
        Step(
            _("Write the mail"),
            _("Take a ready template and change the words; merge fields greet everyone by name."),
            link("mails:index"),
            _("See mails"),
            done=state.has_content,
        ),
        Step(
            _("Choose the time"),
            _("Send at once or on a day and hour you set; approval comes before."),
            campaign,
            _("Open the campaign"),
            done=False,
        ),
        Step(
            _("Read it as a real recipient"),
            _("Flip through people of the audience, send yourself a test, then send. Caught mail shows what arrived."),
            campaign,
            _("Review"),
            done=state.has_sent,
        ),
    ]


def _mark_current(steps: list[Step]) -> list[Step]:
    first_open = next((step for step in steps if not step.done), None)
    return [Step(step.title, step.text, step.url, step.act, step.done, current=step is first_open) for step in steps]
