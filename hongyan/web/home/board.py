"""What the home page says, gathered from the rooms that know it. Reads only; each part asks the permission it needs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.analytics import selectors as analytics
from hongyan.analytics.rates import Rate
from hongyan.analytics.types import CampaignFigures
from hongyan.campaigns import selectors as campaigns
from hongyan.campaigns.selectors import Attention, FirstSteps, Result
from hongyan.campaigns.states import State
from hongyan.ingest import selectors as imports
from hongyan.ingest.models import Import
from hongyan.ingest.sources import selectors as sources
from hongyan.ingest.types import ImportState
from hongyan.web.figures import number

P = Permission
IMPORTS_SHOWN = 3
RESULTS_SHOWN = 6
TREND_OVER = 12  # campaigns
TREND_FROM = 3  # fewer points are no trend


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
    delivered: int
    opened: Rate
    clicked: Rate


def link(name: str, **kwargs: Any) -> str:
    """The address, or "" when that room has no such page yet: then no link is shown."""
    try:
        return reverse(name, kwargs=kwargs or None)
    except NoReverseMatch:
        return ""


def attention(actor: Actor) -> list[Item]:
    """Most urgent first; only what this person can do something about."""
    return (
        [_campaign_item(entry) for entry in campaigns.needs_attention(actor)]
        + _source_items(actor)
        + _import_items(actor)
    )


def results(actor: Actor) -> list[ResultRow]:
    """The latest campaigns with their engagement, newest first; empty without permission for reports."""
    recent = campaigns.recent_results(actor, TREND_OVER)
    if not recent:
        return []
    lines = analytics.figures_of(actor=actor, campaigns=[entry.campaign for entry in recent])
    return [_result(entry, lines[entry.campaign.pk]) for entry in recent if entry.campaign.pk in lines]


def trend(rows: list[ResultRow]) -> dict[str, Any] | None:
    """Opens and clicks of delivered over the last campaigns, oldest first, as ``{% chart %}`` takes it."""
    known = [row for row in reversed(rows) if row.clicked.value is not None and row.opened.value is not None]
    if len(known) < TREND_FROM:
        return None
    return {
        "categories": [row.name for row in known],
        "series": [
            _series(_("Opened"), [row.opened for row in known]),
            _series(_("Clicked"), [row.clicked for row in known]),
        ],
        "unit": "percent",
    }


def _series(name: str, rates: list[Rate]) -> dict[str, Any]:
    return {
        "name": name,
        "values": [rate.value for rate in rates],
        "low": [rate.low for rate in rates],
        "high": [rate.high for rate in rates],
    }


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


def _result(entry: Result, line: CampaignFigures) -> ResultRow:
    campaign = entry.campaign
    return ResultRow(
        name=campaign.name,
        url=link("reports:campaign", public_id=campaign.public_id)
        or link("campaigns:page", public_id=campaign.public_id),
        state=str(State(campaign.state)),
        started_at=campaign.started_at,
        total=line.recipients,
        delivered=line.delivered,
        opened=line.opened,
        clicked=line.clicked,
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


# -- scheduled sources -------------------------------------------------------------------------------------------------


def _source_items(actor: Actor) -> list[Item]:
    return [_source_item(trouble) for trouble in sources.needs_attention(actor)][:IMPORTS_SHOWN]


def _source_item(trouble: sources.Trouble) -> Item:
    url = link("sources:show", public_id=trouble.public_id)
    if trouble.kind == "late":
        why = _("brings nothing any more, although it should have by now")
        return Item(trouble.name, why, "warn", "clock-exclamation", url, _("Look"), trouble.since)
    return Item(trouble.name, _("cannot be read"), "bad", "database-x", url, _("See why"), trouble.since)


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
