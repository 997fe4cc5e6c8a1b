"""Reads of this room: a report reads sums, never the messages or events behind them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.analytics.fold import READER
from hongyan.analytics.models import Figure, MessageMark, Slot
from hongyan.analytics.rates import against_history, rate
from hongyan.analytics.types import CampaignFigures, HourRow, LinkRow, Mark, MonthRow, Report
from hongyan.campaigns.follow import Snapshot, snapshot
from hongyan.campaigns.models import Campaign, Progress
from hongyan.delivery.types import MessageState
from hongyan.events.models import ReaderCursor

KIND = "campaign"
S = MessageState
HISTORY = 20  # earlier campaigns of the same kind that are compared
SHOWN_HOURS = 72  # of the hour chart: later opens are few and would flatten the beginning


def campaign_report(*, actor: Actor, campaign: Campaign, zone: tzinfo) -> Report:
    """zone: in which hours begin. A fixed number of queries, whatever the size."""
    actor.require(Permission.REPORT_VIEW)
    progress = snapshot(campaign)
    figures = _figures([campaign.pk]).get(campaign.pk, {})
    messages = {mark: figures.get((mark, -1), (0, 0))[0] for mark in Mark}
    delivered = _delivered(progress.count(S.SENT), messages)
    opened = rate(messages[Mark.OPENED_PERSON], delivered)
    clicked = rate(messages[Mark.CLICKED_PERSON], delivered)
    earlier = _earlier(campaign)
    return Report(
        recipients=campaign.recipients or progress.total,
        waiting=progress.waiting,
        delivered=delivered,
        **_states(progress),
        reasons={(state.name.lower(), code): count for (state, code), count in progress.reasons.items()},
        opened=opened,
        opened_unknown_only=rate(messages[Mark.OPENED_NOT_MACHINE] - messages[Mark.OPENED_PERSON], delivered),
        opened_machine_only=rate(messages[Mark.OPENED_ANY] - messages[Mark.OPENED_NOT_MACHINE], delivered),
        not_opened=rate(delivered - messages[Mark.OPENED_ANY], delivered),
        clicked=clicked,
        clicked_machine_only=rate(messages[Mark.CLICKED_ANY] - messages[Mark.CLICKED_PERSON], delivered),
        clicked_of_opened=rate(messages[Mark.CLICKED_PERSON], messages[Mark.OPENED_PERSON]),
        unsubscribed=rate(messages[Mark.UNSUBSCRIBED], delivered),
        complained=rate(messages[Mark.COMPLAINED], delivered),
        bounce=rate(progress.count(S.BOUNCED), progress.count(S.SENT, S.BOUNCED, S.FAILED, S.UNCERTAIN)),
        opens_history=against_history(opened, [row.opened.value for row in earlier if row.opened.value is not None]),
        clicks_history=against_history(
            clicked, [row.clicked.value for row in earlier if row.clicked.value is not None]
        ),
        links=_links(campaign, figures, delivered),
        hours=_hours(campaign, zone),
        first_sent_at=progress.first_sent_at,
        last_sent_at=progress.last_sent_at,
        folded_at=_folded_at(),
    )


def figures_of(*, actor: Actor, campaigns: Sequence[Campaign]) -> dict[int, CampaignFigures]:
    """One line each for a table over campaigns; two queries however many."""
    actor.require(Permission.REPORT_VIEW)
    return _figures_of(campaigns)


def months(*, actor: Actor, since: datetime, zone: tzinfo) -> list[MonthRow]:
    """What each month's campaigns brought, by stage and mail type."""
    actor.require(Permission.REPORT_VIEW)
    campaigns = list(Campaign.objects.filter(started_at__gte=since, recipients__gt=0).order_by("started_at"))
    lines = _figures_of(campaigns)
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * 5)
    for campaign in campaigns:
        line = lines[campaign.pk]
        if campaign.started_at is None:
            continue
        month = campaign.started_at.astimezone(zone).strftime("%Y-%m")
        row = sums[month, campaign.stage, campaign.mail_type]
        for at, value in enumerate((1, line.delivered, line.opened.count, line.clicked.count, line.unsubscribed.count)):
            row[at] += value
    return [
        MonthRow(
            month, stage, kind, n, delivered, rate(opened, delivered), rate(clicked, delivered), rate(gone, delivered)
        )
        for (month, stage, kind), (n, delivered, opened, clicked, gone) in sorted(sums.items())
    ]


def marked_contacts(
    *, actor: Actor, campaign: Campaign, mark: Mark, link: int = -1, after: int = 0, limit: int = 100
) -> list[tuple[int, int | None, datetime]]:
    """(message id, contact id, first time) by message id: pass the last one as ``after``."""
    actor.require(Permission.REPORT_PEOPLE)
    rows = MessageMark.objects.filter(
        origin_kind=KIND, origin_id=campaign.pk, mark=mark, link=link, message_id__gt=after
    ).order_by("message_id")
    return list(rows.values_list("message_id", "contact_id", "first_at")[:limit])


def _states(progress: Snapshot) -> dict[str, int]:
    return {
        "sent": progress.count(S.SENT),
        "bounced": progress.count(S.BOUNCED),
        "failed": progress.count(S.FAILED),
        "uncertain": progress.count(S.UNCERTAIN),
        "refused": progress.count(S.REFUSED),
        "cancelled": progress.count(S.CANCELLED),
    }


def _delivered(sent: int, messages: Mapping[Mark, int]) -> int:
    """Accepted by the receiving side. An uncertain message that was opened did arrive, and the sums may be a few
    seconds ahead of the count of states: whatever somebody reacted to counts as delivered."""
    reacted = (Mark.OPENED_ANY, Mark.CLICKED_ANY, Mark.UNSUBSCRIBED, Mark.COMPLAINED)
    return max(sent, *(messages.get(mark, 0) for mark in reacted))


def _figures(ids: Sequence[int]) -> dict[int, dict[tuple[Mark, int], tuple[int, int]]]:
    """campaign id → (mark, link) → (messages, hits)."""
    found: dict[int, dict[tuple[Mark, int], tuple[int, int]]] = defaultdict(dict)
    for row in Figure.objects.filter(origin_kind=KIND, origin_id__in=ids):
        found[row.origin_id][Mark(row.mark), row.link] = (row.messages, row.hits)
    return found


def _figures_of(campaigns: Sequence[Campaign]) -> dict[int, CampaignFigures]:
    ids = [campaign.pk for campaign in campaigns]
    figures = _figures(ids)
    sent_key = str(int(S.SENT))
    sent = {row.campaign_id: row.states.get(sent_key, 0) for row in Progress.objects.filter(campaign__in=ids)}
    lines = {}
    for campaign in campaigns:
        messages = {mark: count for (mark, link), (count, _) in figures.get(campaign.pk, {}).items() if link == -1}
        delivered = _delivered(sent.get(campaign.pk, 0), messages)
        lines[campaign.pk] = CampaignFigures(
            campaign.pk,
            campaign.recipients or 0,
            delivered,
            rate(messages.get(Mark.OPENED_PERSON, 0), delivered),
            rate(messages.get(Mark.CLICKED_PERSON, 0), delivered),
            rate(messages.get(Mark.UNSUBSCRIBED, 0), delivered),
        )
    return lines


def _earlier(campaign: Campaign) -> list[CampaignFigures]:
    """Campaigns of the same kind that began before this one."""
    before = campaign.started_at or datetime.now(tz=UTC)
    rows = list(
        Campaign.objects.filter(mail_type=campaign.mail_type, started_at__lt=before, recipients__gt=0)
        .exclude(pk=campaign.pk)
        .order_by("-started_at")[:HISTORY]
    )
    return [line for line in _figures_of(rows).values() if line.delivered]


def _links(campaign: Campaign, figures: Mapping[tuple[Mark, int], tuple[int, int]], delivered: int) -> list[LinkRow]:
    known: list[dict[str, Any]] = campaign.content_version.links if campaign.content_version is not None else []
    named = {int(link["index"]): link for link in known}
    clicked = {link for mark, link in figures if link >= 0 and mark in {Mark.CLICKED_PERSON, Mark.CLICKED_MACHINE}}
    rows = []
    for index in sorted(named.keys() | clicked):
        people, hits = figures.get((Mark.CLICKED_PERSON, index), (0, 0))
        machine_people, machine_hits = figures.get((Mark.CLICKED_MACHINE, index), (0, 0))
        link = named.get(index, {"url": "", "label": ""})
        rows.append(
            LinkRow(index, link["url"], link["label"], rate(people, delivered), hits, machine_people, machine_hits)
        )
    return sorted(rows, key=lambda row: (-row.people.count, row.index))


def _hours(campaign: Campaign, zone: tzinfo) -> list[HourRow]:
    """From the first hour, without gaps, at most ``SHOWN_HOURS``."""
    sums: dict[datetime, dict[Mark, int]] = defaultdict(lambda: defaultdict(int))
    shown = (Mark.SENT, Mark.OPENED_PERSON, Mark.CLICKED_PERSON, Mark.OPENED_MACHINE)
    for slot in Slot.objects.filter(origin_kind=KIND, origin_id=campaign.pk, mark__in=shown):
        # Added up in UTC by the hour of the zone: an hour repeated when summer time ends stays two hours.
        local = slot.starts_at.astimezone(zone)
        start = slot.starts_at - timedelta(minutes=local.minute)
        sums[start.astimezone(UTC)][Mark(slot.mark)] += slot.messages
    if not sums:
        return []
    first, last = min(sums), max(sums)
    count = min(SHOWN_HOURS, round((last - first) / timedelta(hours=1)) + 1)
    rows = []
    for number in range(count):
        at = first + timedelta(hours=number)
        found = sums.get(at, {})
        rows.append(HourRow(at.astimezone(zone), *(found.get(mark, 0) for mark in shown)))
    return rows


def _folded_at() -> datetime | None:
    return ReaderCursor.objects.filter(name=READER).values_list("moved_at", flat=True).first()
