"""Reports: how a campaign did, and who is behind its figures."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Schema

from hongyan.accounts.permissions import Permission
from hongyan.analytics.rates import Rate
from hongyan.analytics.selectors import campaign_report
from hongyan.api.auth import actor
from hongyan.api.paging import capped
from hongyan.campaigns.selectors import CampaignFilters, campaign_by_public_id, campaign_page

router = Router()


class RateOut(Schema):
    """count of ``of``; value and its 95 % Wilson interval in 0..1, null when there is nothing to divide by."""

    count: int
    of: int
    value: float | None
    low: float | None
    high: float | None


class LinkOut(Schema):
    index: int
    url: str
    people: RateOut
    clicks: int
    machine_clicks: int


class ReportOut(Schema):
    campaign: UUID
    name: str
    recipients: int
    waiting: int
    delivered: int
    bounced: int
    failed: int
    uncertain: int
    refused: int
    cancelled: int
    opened: RateOut
    opened_machine_only: RateOut
    opened_unknown_only: RateOut
    clicked: RateOut
    clicked_machine_only: RateOut
    unsubscribed: RateOut
    complained: RateOut
    links: list[LinkOut]
    first_sent_at: datetime | None
    last_sent_at: datetime | None
    counted_until: datetime | None


class ReportLine(Schema):
    campaign: UUID
    name: str
    state: str
    started_at: datetime | None


@router.get("/campaigns", response=list[ReportLine], summary="Campaigns that have a report")
def report_list(request: HttpRequest, limit: int = 50) -> list[ReportLine]:
    who = actor(request)
    who.require(Permission.REPORT_VIEW)
    page = campaign_page(actor=who, filters=CampaignFilters(), limit=capped(limit))
    return [
        ReportLine(campaign=row.public_id, name=row.name, state=row.state, started_at=row.started_at)
        for row in page.rows
        if row.started_at is not None
    ]


@router.get("/campaigns/{campaign_id}", response=ReportOut, summary="How a campaign did; machines apart from people")
def report_read(request: HttpRequest, campaign_id: UUID) -> ReportOut:
    who = actor(request)
    campaign = campaign_by_public_id(actor=who, public_id=campaign_id)
    report = campaign_report(actor=who, campaign=campaign, zone=ZoneInfo(settings.HONGYAN_TIME_ZONE))
    return ReportOut(
        campaign=campaign.public_id,
        name=campaign.name,
        recipients=report.recipients,
        waiting=report.waiting,
        delivered=report.delivered,
        bounced=report.bounced,
        failed=report.failed,
        uncertain=report.uncertain,
        refused=report.refused,
        cancelled=report.cancelled,
        opened=_rate(report.opened),
        opened_machine_only=_rate(report.opened_machine_only),
        opened_unknown_only=_rate(report.opened_unknown_only),
        clicked=_rate(report.clicked),
        clicked_machine_only=_rate(report.clicked_machine_only),
        unsubscribed=_rate(report.unsubscribed),
        complained=_rate(report.complained),
        links=[
            LinkOut(
                index=link.index,
                url=link.url,
                people=_rate(link.people),
                clicks=link.hits,
                machine_clicks=link.machine_hits,
            )
            for link in report.links
        ],
        first_sent_at=report.first_sent_at,
        last_sent_at=report.last_sent_at,
        counted_until=report.folded_at,
    )


def _rate(rate: Rate) -> RateOut:
    return RateOut(count=rate.count, of=rate.of, value=rate.value, low=rate.low, high=rate.high)
