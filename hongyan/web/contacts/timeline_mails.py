"""Mails of the timeline: one entry each, with what became of it and what the person did with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.analytics.models import MessageMark
from hongyan.analytics.types import Mark
from hongyan.campaigns.models import Campaign
from hongyan.contacts.timeline import Position, Rank
from hongyan.content.models import ContentVersion
from hongyan.core import clock
from hongyan.delivery.selectors import MessageFacts, message_facts, messages_of_contact
from hongyan.delivery.types import MessageKey, MessageState, RecipientRow
from hongyan.web.campaigns.words import reason as reason_text
from hongyan.web.contacts.timeline import Answer, Asked, Item, Step
from hongyan.web.contacts.words import MESSAGE_STATES

MOST = 2_000  # mails of one person that the timeline reaches back to
RECENT = timedelta(days=90)
_CAMPAIGN_PEOPLE = (Permission.CAMPAIGN_EDIT, Permission.CAMPAIGN_SEND, Permission.CAMPAIGN_APPROVE)
_LOOKS = {"bounced": ("mail-x", "bad"), "failed": ("mail-x", "bad"), "refused": ("mail-off", ""), "sent": ("mail", "")}


@dataclass(frozen=True, slots=True)
class Engagement:
    """Mails of the last 90 days that were delivered, and how many of them the person opened or clicked. Machines do not
    count."""

    sent: int
    opened: int
    clicked: int


def mails(asked: Asked) -> Answer:
    if not asked.wants("mails"):
        return Answer([])
    rows = messages_of_contact(actor=asked.actor, contact_id=asked.contact.pk, limit=MOST)
    rows = sorted((row for row in rows if _position(row) < asked.before), key=_position, reverse=True)
    page = rows[: asked.limit]
    horizon = _position(page[-1]) if len(rows) > len(page) else None
    return Answer(_items(asked, page), horizon)


def engagement(*, actor: Actor, contact_id: int) -> Engagement:
    since = clock.now() - RECENT
    rows = messages_of_contact(actor=actor, contact_id=contact_id, limit=MOST)
    sent = {
        row.message_id
        for row in rows
        if row.state is MessageState.SENT and row.finished_at is not None and row.finished_at >= since
    }
    if not sent:
        return Engagement(0, 0, 0)
    wanted = (Mark.OPENED_PERSON, Mark.CLICKED_PERSON)
    marks = MessageMark.objects.filter(contact_id=contact_id, mark__in=wanted, first_at__gte=since)
    by_mark: dict[int, set[int]] = {mark: set() for mark in wanted}
    for mark, message_id in marks.values_list("mark", "message_id"):
        by_mark[mark].add(message_id)
    clicked = by_mark[Mark.CLICKED_PERSON] & sent
    opened = (by_mark[Mark.OPENED_PERSON] & sent) | clicked  # who clicked has looked, pictures or not
    return Engagement(len(sent), len(opened), len(clicked))


def _position(row: RecipientRow) -> Position:
    return Position(row.finished_at or row.due_at, Rank.MAILS, row.message_id)


def _items(asked: Asked, rows: Sequence[RecipientRow]) -> list[Item]:
    if not rows:
        return []
    facts = {
        key.id: fact for key, fact in message_facts([MessageKey(row.message_id, row.month) for row in rows]).items()
    }
    campaigns = Campaign.objects.only("public_id", "name").in_bulk(
        {fact.origin_id for fact in facts.values() if fact.origin_kind == "campaign"}
    )
    versions = ContentVersion.objects.only("id", "subject", "links").in_bulk(
        {fact.content_version_id for fact in facts.values() if fact.content_version_id is not None}
    )
    marks: dict[int, list[MessageMark]] = {}
    wanted = {row.message_id for row in rows}
    for mark in MessageMark.objects.filter(contact_id=asked.contact.pk).order_by("first_at"):
        if mark.message_id in wanted:
            marks.setdefault(mark.message_id, []).append(mark)
    return [
        _item(asked, row, facts.get(row.message_id), campaigns, versions, marks.get(row.message_id, [])) for row in rows
    ]


def _item(  # noqa: PLR0917
    asked: Asked,
    row: RecipientRow,
    fact: MessageFacts | None,
    campaigns: Mapping[int, Campaign],
    versions: Mapping[int, ContentVersion],
    marks: Sequence[MessageMark],
) -> Item:
    state = row.state.name.lower()
    campaign = campaigns.get(fact.origin_id) if fact is not None and fact.origin_kind == "campaign" else None
    version = versions.get(fact.content_version_id or 0) if fact is not None else None
    steps = _steps(marks, version)
    icon, tone = _LOOKS.get(state, ("clock", ""))
    people = [step for step in steps if not step.machine]
    if people and state == "sent":
        icon, tone = (
            ("click", "ok") if any(mark.mark == Mark.CLICKED_PERSON for mark in marks) else ("mail-opened", "ok")
        )
    shown = row.state in {MessageState.SENT, MessageState.BOUNCED, MessageState.UNCERTAIN} and version is not None
    name = campaign.name if campaign is not None else ""
    title = _subject(version) or name or _("Single mail")
    return Item(
        _position(row),
        title=title,
        icon=icon,
        tone=tone,
        link=(_campaign_url(asked.actor, campaign), name) if name != title else ("", ""),
        lines=[reason_text(row.reason)] if row.reason else [],
        steps=steps,
        state=(state, str(MESSAGE_STATES[state])),
        open_url=reverse("contacts:contact_mail", args=[asked.contact.public_id, row.month.isoformat(), row.message_id])
        if shown
        else "",
    )


def _subject(version: ContentVersion | None) -> str:
    """As written, when it is the same for everybody."""
    return "" if version is None or "{" in version.subject else version.subject


def _steps(marks: Sequence[MessageMark], version: ContentVersion | None) -> list[Step]:
    """First times, in order; a machine's only where no person did the same."""
    done = {mark.mark for mark in marks}
    labels = {
        link.get("index"): link.get("label") or link.get("url", "") for link in (version.links if version else [])
    }
    steps = []
    for mark in marks:
        if mark.mark == Mark.OPENED_PERSON:
            steps.append(Step(_("Opened"), mark.first_at, "ok"))
        elif mark.mark == Mark.OPENED_UNKNOWN and Mark.OPENED_PERSON not in done:
            steps.append(Step(_("Pictures loaded through a proxy"), mark.first_at))
        elif mark.mark == Mark.OPENED_MACHINE and not done & {Mark.OPENED_PERSON, Mark.OPENED_UNKNOWN}:
            steps.append(Step(_("A machine fetched the pictures"), mark.first_at, machine=True))
        elif mark.mark == Mark.CLICKED_PERSON and (mark.link >= 0 or not _has_links(marks)):
            label = str(labels.get(mark.link, ""))[:80]
            text = _("Clicked: %(link)s") % {"link": label} if label else _("Clicked")
            steps.append(Step(text, mark.first_at, "ok"))
        elif mark.mark == Mark.CLICKED_MACHINE and Mark.CLICKED_PERSON not in done and mark.link < 0:
            steps.append(Step(_("A machine followed a link"), mark.first_at, machine=True))
        elif mark.mark == Mark.UNSUBSCRIBED:
            steps.append(Step(_("Unsubscribed"), mark.first_at, "warn"))
        elif mark.mark == Mark.COMPLAINED:
            steps.append(Step(_("Complained about spam"), mark.first_at, "bad"))
    return steps


def _has_links(marks: Sequence[MessageMark]) -> bool:
    return any(mark.mark == Mark.CLICKED_PERSON and mark.link >= 0 for mark in marks)


def _campaign_url(actor: Actor, campaign: Campaign | None) -> str:
    if campaign is None or not any(actor.may(permission) for permission in _CAMPAIGN_PEOPLE):
        return ""
    return reverse("campaigns:page", args=[campaign.public_id])
