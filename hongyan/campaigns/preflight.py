"""Everything worth knowing before sending, over the whole audience. What blocks is asked again when the mail leaves."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from hongyan.audience.errors import BadTree
from hongyan.campaigns import people
from hongyan.campaigns.draft import audience_hash, compile_campaign, content_hash
from hongyan.campaigns.errors import NotComplete
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.people import Plan
from hongyan.campaigns.states import State
from hongyan.campaigns.types import Counts, EmptyChoice, EmptyField, Finding, Level, Preflight, Step, Timing
from hongyan.content import types as content
from hongyan.content.checks import checks as content_checks
from hongyan.content.errors import ContentProblem
from hongyan.content.models import ContentVersion
from hongyan.content.preflight import empty_values
from hongyan.content.types import MailType
from hongyan.core import clock
from hongyan.delivery.errors import LowDisk
from hongyan.delivery.services import check_disk

_LEVELS = {
    content.Level.ERROR: Level.BLOCK,
    content.Level.WARNING: Level.WARN,
    content.Level.NOTE: Level.INFO,
}
# RFC 2606 and RFC 6761: no mail from these is ever accepted by a real mailbox.
_RESERVED = ("example", "example.com", "example.net", "example.org", "invalid", "test", "localhost")
_AD_LABEL = ("广告", "ad")
UNUSUAL = 5  # so many times the usual size of this kind of campaign is asked about
HISTORY = 3
NIGHT = (22, 8)


@dataclass(slots=True)
class _Sheet:
    """What has been found out so far."""

    findings: list[Finding] = field(default_factory=list)
    empty_fields: tuple[EmptyField, ...] = ()
    counts: Counts | None = None
    content_hash: str = ""
    audience_hash: str = ""


def preflight(campaign: Campaign) -> Preflight:
    """System use; pages check permissions. Texts are in the active language."""
    sheet = _Sheet()
    found = _audience(campaign, sheet)
    version = _content(campaign, sheet)
    sheet.findings += _sender(campaign)
    sheet.findings += _time(campaign)
    sheet.findings += _room()
    if found is not None and version is not None:
        _empties(campaign, found, version, sheet)
    if found is not None:
        sheet.findings += _people(campaign, found, version, sheet)
    order = list(Level)
    sheet.findings.sort(key=lambda finding: order.index(finding.level))
    return Preflight(
        tuple(sheet.findings),
        sheet.empty_fields,
        sheet.counts,
        sheet.content_hash,
        sheet.audience_hash,
        clock.now(),
    )


def _audience(campaign: Campaign, sheet: _Sheet) -> Plan | None:
    if campaign.audience is None:
        sheet.findings.append(
            Finding(Level.BLOCK, "no_audience", Step.AUDIENCE, "", _("No audience yet"), _("Choose who should get it."))
        )
        return None
    try:
        found = people.plan(campaign)
        sheet.audience_hash = audience_hash(campaign)
        sheet.counts = people.counts(found)
    except BadTree as bad:
        sheet.findings += [
            Finding(Level.BLOCK, "bad_audience", Step.AUDIENCE, problem.path, problem.message, _("Choose it again."))
            for problem in bad.problems
        ]
        return None
    return found


def _content(campaign: Campaign, sheet: _Sheet) -> ContentVersion | None:
    """The mail that would go out: the pinned one once the campaign is approved, else the template's newest state."""
    version = _pinned(campaign)
    if version is None:
        try:
            version = compile_campaign(campaign)
        except NotComplete:
            title, remedy = _("No mail yet"), _("Choose the mail it sends.")
            sheet.findings.append(Finding(Level.BLOCK, "no_mail", Step.CONTENT, "", title, remedy))
            return None
        except ContentProblem as bad:
            sheet.findings += [_from_problem(problem) for problem in bad.problems]
            return None
    sheet.content_hash = content_hash(campaign, version)
    sheet.findings += [
        Finding(_LEVELS[found.level], found.code, Step.CONTENT, found.place, found.message)
        for found in content_checks(version)
        if not found.code.startswith("empty_")
    ]
    return version


def _pinned(campaign: Campaign) -> ContentVersion | None:
    held = {State.AWAITING_APPROVAL, State.APPROVED, State.SCHEDULED, State.FREEZING}
    return campaign.content_version if State(campaign.state) in held else None


def newer_mail(campaign: Campaign) -> bool:
    """Whether the template was changed after this campaign's content was pinned; what was pinned is what goes out."""
    version = _pinned(campaign)
    if version is None or campaign.template is None:
        return False
    try:
        return compile_campaign(campaign).sha256 != version.sha256
    except (ContentProblem, NotComplete):
        return True


def _from_problem(problem: content.Problem) -> Finding:
    place = f"{problem.part.value}:{problem.line}" if problem.line else problem.part.value
    return Finding(Level.BLOCK, f"content_{problem.code}", Step.CONTENT, place, problem.message)


def _sender(campaign: Campaign) -> Iterator[Finding]:
    sender = campaign.sender
    if sender is None or sender.archived_at is not None:
        title = _("No sender yet") if sender is None else _("The sender was archived")
        yield Finding(Level.BLOCK, "no_sender", Step.SENDER, "", title, _("Choose who it comes from."))
    elif sender.domain in _RESERVED or sender.domain.endswith(tuple(f".{name}" for name in _RESERVED)):
        real = bool(settings.HONGYAN_SMTP_URL)
        yield Finding(
            Level.BLOCK if real else Level.INFO,
            "sender_domain_reserved",
            Step.SENDER,
            sender.domain,
            _("The sender's domain is reserved for examples"),
            _("Real mailboxes would refuse it. Choose a sender of your own domain.")
            if real
            else _("Fine for trying things out: mail goes to the local catcher. Real mailboxes would refuse it."),
        )
    elif "." not in sender.domain:
        yield Finding(
            Level.BLOCK,
            "sender_domain_implausible",
            Step.SENDER,
            sender.domain,
            _("The sender's domain is not one of the internet"),
            _("Choose a sender with an address people can answer."),
        )
    if campaign.mail_type == MailType.TRANSACTIONAL:
        yield Finding(
            Level.WARN,
            "transactional",
            Step.SENDER,
            "",
            _("Transactional mail goes without consent"),
            _("Only for what people must know about something they did or bought. Otherwise choose another kind."),
        )
    elif campaign.topic is None:
        title, remedy = _("No topic yet"), _("Consent is asked by topic: choose the one this mail belongs to.")
        yield Finding(Level.BLOCK, "no_topic", Step.SENDER, "", title, remedy)


def _time(campaign: Campaign) -> Iterator[Finding]:
    if campaign.timing != Timing.AT or State(campaign.state) is State.SCHEDULED:
        return
    if campaign.send_at is None or campaign.send_at <= clock.now():
        title = _("The time to send is not set") if campaign.send_at is None else _("The time to send is in the past")
        yield Finding(Level.BLOCK, "time_past", Step.SENDER, "", title, _("Choose a time to come, or send now."))
        return
    hour = timezone.localtime(campaign.send_at).hour
    if hour >= NIGHT[0] or hour < NIGHT[1]:
        title, remedy = _("It goes out at night"), _("Between 22:00 and 8:00 people read little and complain more.")
        yield Finding(Level.WARN, "night", Step.SENDER, "", title, remedy)


def _room() -> Iterator[Finding]:
    try:
        check_disk()
    except LowDisk:
        title, remedy = (
            _("Too little free disk"),
            _("Ask an administrator to free space: new sends are refused until then."),
        )
        yield Finding(Level.BLOCK, "low_disk", Step.REVIEW, "", title, remedy)


def _empties(campaign: Campaign, found: Plan, version: ContentVersion, sheet: _Sheet) -> None:
    """Counted over the whole audience, whatever was chosen for the field."""
    rows = []
    for row in empty_values(version, people.audience_without_exclusions(found)):
        choice = campaign.choices.get(row.field)
        kind = EmptyChoice(choice["choice"]) if choice else (EmptyChoice.FALLBACK if row.fallback else None)
        rows.append(EmptyField(row.field, row.label, row.empty, row.total, kind, row.fallback or ""))
    sheet.empty_fields = tuple(rows)
    sheet.findings += [finding for row in rows if row.empty for finding in _empty_finding(row)]


def _empty_finding(row: EmptyField) -> Iterator[Finding]:
    names = {"field": row.label}
    if row.choice is None:
        title = _("“%(field)s” is empty for some people") % names
        remedy = _("Decide below what they read instead, leave them out, or complete their data.")
        yield Finding(Level.BLOCK, "empty_undecided", Step.REVIEW, row.field, title, remedy, row.empty)
    elif row.choice is EmptyChoice.FALLBACK:
        title = _("“%(field)s” is empty for some people: they read “%(text)s”") % (names | {"text": row.text})
        yield Finding(Level.INFO, "empty_fallback", Step.REVIEW, row.field, title, count=row.empty)
    else:
        title = _("“%(field)s” is empty for some people: they are left out") % names
        yield Finding(Level.INFO, "empty_excluded", Step.REVIEW, row.field, title, count=row.empty)


def _people(campaign: Campaign, found: Plan, version: ContentVersion | None, sheet: _Sheet) -> Iterator[Finding]:
    from hongyan.campaigns.selectors import usual_size

    counts = sheet.counts
    if counts is None:
        return
    if counts.will_receive == 0:
        title = _("Nobody would get it") if counts.matched else _("Nobody is in this audience")
        remedy = _("See below why each is left out.") if counts.matched else _("Widen the audience.")
        yield Finding(Level.BLOCK, "nobody", Step.AUDIENCE, "", title, remedy, 0)
        return
    usual, earlier = usual_size(campaign)
    if earlier >= HISTORY and counts.will_receive > UNUSUAL * usual:
        title = _("Many more people than usual for this kind of campaign")
        remedy = _("Usually about %(usual)s. Is it the audience you mean?") % {"usual": f"{usual:,}"}
        yield Finding(Level.WARN, "unusual_size", Step.AUDIENCE, "", title, remedy, counts.will_receive)
    if version is not None and MailType(campaign.mail_type).commercial and not _labelled(version.subject):
        in_china = people.count_country(found, "CN")
        if in_china:
            title = _("The subject does not begin with “广告” or “AD”")
            remedy = _("China's rules for e-mail ask for this label on advertising mail to people there.")
            yield Finding(Level.WARN, "ad_label", Step.CONTENT, "subject", title, remedy, in_china)


def _labelled(subject: str) -> bool:
    return subject.lstrip(" 　[【(（<《「").casefold().startswith(_AD_LABEL)
