"""The steps of preparing a campaign: about, audience, mail, sender and time, review."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.audience.errors import BadTree
from hongyan.campaigns import approval, people
from hongyan.campaigns.errors import NotComplete
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.preflight import newer_mail, preflight
from hongyan.campaigns.services import campaign_create, campaign_update, values_of
from hongyan.campaigns.states import State
from hongyan.campaigns.types import CampaignValues, Counts, Stage, Timing
from hongyan.contacts.models import Topic
from hongyan.content.models import Template
from hongyan.content.selectors import TemplateFilters, template_rows, template_version
from hongyan.content.types import MailType
from hongyan.delivery.selectors import senders
from hongyan.web.campaigns import picks
from hongyan.web.campaigns.common import actor_of, attempt, base_context, campaign_of, hx, sentence, to
from hongyan.web.campaigns.forms import AboutForm, SendingForm, WordingForm
from hongyan.web.campaigns.words import MAIL_TYPES, OUTSIDE, STAGE_HINTS, STAGES

MAX_CONDITIONS = 100_000  # characters of JSON
STEPS = ("about", "audience", "mail", "sending", "review")


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CAMPAIGN_EDIT)
    form = AboutForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        # Sender and topic as its kind suggests, so that the audience is counted with them from the beginning.
        usual = _sending_usual(form.cleaned_data["mail_type"])
        campaign = campaign_create(actor=actor, values=_about(usual, form.cleaned_data))
        return to("audience", campaign)
    return render(
        request, "campaigns/create.html", {"form": form, "stage_hints": _hints(), "steps": _steps(None, "about")}
    )


@require_http_methods(["GET", "POST"])
def about(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = _draft(request, public_id)
    if not isinstance(campaign, Campaign):
        return campaign
    initial = {name: getattr(campaign, name) for name in ("name", "goal", "stage", "mail_type")}
    form = AboutForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        saved = _save(request, campaign, _about(values_of(campaign), form.cleaned_data))
        return _after_save(request, campaign, "audience", saved=saved)
    return _step(request, campaign, "about", {"form": form, "stage_hints": _hints()})


@require_http_methods(["GET", "POST"])
def audience(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = _draft(request, public_id)
    if not isinstance(campaign, Campaign):
        return campaign
    if request.method == "POST":
        values = _audience_values(campaign, request)
        saved = _save(request, campaign, values)
        if hx(request):
            campaign.refresh_from_db()
            return _counted(request, campaign, saved=saved)
        return _after_save(request, campaign, "mail", saved=saved)
    chosen, excepted = picks.picks_of(campaign.audience), picks.picks_of(campaign.exclusions)
    context = {
        "groups": picks.groups(chosen or []),
        "exclusion_groups": picks.groups(excepted or []),
        "everyone": chosen == [picks.EVERYONE],
        "custom": chosen is None,
        "conditions": json.dumps(campaign.audience, ensure_ascii=False) if chosen is None else "",
        "custom_exclusions": excepted is None,
        **_count_context(campaign),
    }
    return _step(request, campaign, "audience", context)


@require_POST
def audience_count(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What the ticked audience would be, without saving: for campaigns whose draft is not open."""
    campaign = campaign_of(request, public_id)
    values = _audience_values(campaign, request)
    campaign.audience, campaign.exclusions = values.audience, values.exclusions
    return _counted(request, campaign, saved=None)


@require_http_methods(["GET", "POST"])
def mail(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = _draft(request, public_id)
    if not isinstance(campaign, Campaign):
        return campaign
    form = WordingForm(request.POST or None, initial={"subject": campaign.subject, "preheader": campaign.preheader})
    if request.method == "POST" and form.is_valid():
        values = replace(values_of(campaign), **form.cleaned_data, template_id=_template_id(request, campaign))
        saved = _save(request, campaign, values)
        return _after_save(request, campaign, "mail" if "stay" in request.POST else "sending", saved=saved)
    text = request.GET.get("q", "")[:100]
    kind = request.GET.get("kind", campaign.mail_type)
    rows = template_rows(TemplateFilters(text=text, mail_type="" if kind == "all" else kind), limit=60)
    version = template_version(campaign.template) if campaign.template is not None else None
    form.fields["subject"].widget.attrs["placeholder"] = version.subject if version is not None else ""
    form.fields["preheader"].widget.attrs["placeholder"] = version.preheader if version is not None else ""
    context = {
        "form": form,
        "templates": rows,
        "kind": kind,
        "types": [(value.value, label) for value, label in MAIL_TYPES.items()],
        "version": version,
        "mail_editor": _mail_editor(campaign.template) if campaign.template is not None else "",
    }
    return _step(request, campaign, "mail", context)


@require_http_methods(["GET", "POST"])
def sending(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = _draft(request, public_id)
    if not isinstance(campaign, Campaign):
        return campaign
    known = senders()
    topics = list(Topic.objects.filter(active=True).order_by("position", "pk"))
    form = SendingForm(
        request.POST or None,
        initial=_sending_initial(campaign, known[0].pk if known else None, topics),
        senders=[(str(row.pk), f"{row.from_name} <{row.from_email}>") for row in known],
        topics=[(str(row.pk), _topic_name(row)) for row in topics],
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        values = replace(
            values_of(campaign),
            sender_id=int(data["sender"]) if data["sender"] else None,
            topic_id=int(data["topic"]) if data["topic"] else None,
            timing=Timing(data["timing"]),
            send_at=data["send_at"] or None,
        )
        saved = _save(request, campaign, values)
        return _after_save(request, campaign, "review", saved=saved)
    zone = timezone.get_current_timezone_name()
    return _step(request, campaign, "sending", {"form": form, "zone": zone, "no_senders": not known})


@require_http_methods(["GET"])
def review(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Preflight, the way of everybody from the audience to the mailbox, and the one thing to do next."""
    campaign = campaign_of(request, public_id)
    if State(campaign.state) not in {
        State.DRAFT,
        State.AWAITING_APPROVAL,
        State.APPROVED,
        State.SCHEDULED,
        State.FAILED,
    }:
        return to("page", campaign)
    checked = preflight(campaign)
    clearance = None
    if checked.content_hash and checked.audience_hash and checked.counts is not None:
        clearance = approval.clearance(campaign, checked)
    context = base_context(campaign) | {
        "checked": checked,
        "waterfall": waterfall(campaign, checked.counts),
        "steps": _steps(campaign, "review"),
        "audience_sentence": sentence(campaign.audience),
        "exclusions_sentence": sentence(campaign.exclusions),
        "clearance": clearance,
        "needs_approval": clearance is not None and not clearance.ok,
        "newer_mail": newer_mail(campaign),
        "timing_at": campaign.timing == Timing.AT,
        "blocked": not checked.clear,
        "receiving": checked.counts.will_receive if checked.counts is not None else 0,
        "zone": timezone.get_current_timezone_name(),
        "preview_url": reverse("campaigns:preview", args=[campaign.public_id]),
    }
    return render(request, "campaigns/review.html", context)


def waterfall(campaign: Campaign, counts: Counts | None) -> list[dict[str, Any]]:
    """Rows of the way from the audience to the mailbox, each with the people behind it."""
    if counts is None:
        return []
    rows: list[dict[str, Any]] = [{"label": _("In the audience"), "value": counts.matched, "tone": "quiet"}]
    for reason, count in counts.outside.items():
        if count:
            url = reverse("campaigns:outside", args=[campaign.public_id, reason.value])
            rows.append({"label": f"− {OUTSIDE[reason]}", "value": count, "href": url, "tone": "warn"})
    url = reverse("campaigns:outside", args=[campaign.public_id, "receiving"])
    rows.append({"label": _("Will get it"), "value": counts.will_receive, "href": url, "tone": ""})
    return rows


def _draft(request: HttpRequest, public_id: UUID) -> Campaign | HttpResponse:
    """The campaign when it may be edited here; else the page that says why not."""
    actor_of(request).require(Permission.CAMPAIGN_EDIT)
    campaign = campaign_of(request, public_id)
    return campaign if campaign.state == State.DRAFT else to("page", campaign)


def _save(request: HttpRequest, campaign: Campaign, values: CampaignValues) -> bool:
    revision = request.POST.get("revision", "")
    seen = int(revision) if revision.isdigit() else None
    return attempt(
        request,
        lambda: campaign_update(actor=actor_of(request), campaign_id=campaign.pk, values=values, revision=seen),
    )


def _after_save(request: HttpRequest, campaign: Campaign, following: str, *, saved: bool) -> HttpResponse:
    if not saved:
        return (
            to(request.resolver_match.url_name or "page", campaign) if request.resolver_match else to("page", campaign)
        )
    goto = request.POST.get("goto", "")
    return to(goto if goto in STEPS else following, campaign)


def _step(request: HttpRequest, campaign: Campaign, name: str, context: dict[str, Any]) -> HttpResponse:
    shared = base_context(campaign) | {"step": name, "steps": _steps(campaign, name)}
    return render(request, f"campaigns/edit_{name}.html", shared | context)


def _steps(campaign: Campaign | None, current: str) -> list[dict[str, Any]]:
    """The stepper: every step of an existing draft can be opened directly."""
    labels = {
        "about": _("Goal"),
        "audience": _("Audience"),
        "mail": _("Mail"),
        "sending": _("Sender and time"),
        "review": _("Review and send"),
    }
    done = _done(campaign)
    return [
        {
            "label": labels[name],
            "number": number,
            "state": "current" if name == current else "done" if name in done else "next",
            "url": reverse(f"campaigns:{name}", args=[campaign.public_id]) if campaign is not None else "",
        }
        for number, name in enumerate(STEPS, start=1)
    ]


def _done(campaign: Campaign | None) -> set[str]:
    if campaign is None:
        return set()
    done = {"about"}
    if campaign.audience is not None:
        done.add("audience")
    if campaign.template_id is not None:
        done.add("mail")
    if campaign.sender_id is not None and (
        campaign.topic_id is not None or campaign.mail_type == MailType.TRANSACTIONAL
    ):
        done.add("sending")
    return done


def _about(values: CampaignValues, data: dict[str, Any]) -> CampaignValues:
    return replace(
        values,
        name=data["name"],
        goal=data["goal"],
        stage=Stage(data["stage"]),
        mail_type=MailType(data["mail_type"]),
    )


def _audience_values(campaign: Campaign, request: HttpRequest) -> CampaignValues:
    """Ticks and conditions become one tree: anybody of any of them."""
    values = values_of(campaign)
    ticked = [picks.EVERYONE] if request.POST.get("everyone") else request.POST.getlist("pick")
    tree = picks.with_conditions(ticked, _conditions(request))
    excepted = picks.tree_of(request.POST.getlist("except"))
    keep_except = picks.picks_of(campaign.exclusions) is None and excepted is None and "keep_exclusions" in request.POST
    return replace(values, audience=tree, exclusions=campaign.exclusions if keep_except else excepted)


def _conditions(request: HttpRequest) -> dict[str, Any] | None:
    """What the builder holds; preflight judges it, here only its outer shape counts."""
    text = request.POST.get("conditions", "").strip()
    if not text or len(text) > MAX_CONDITIONS:
        return None
    try:
        tree = json.loads(text)
    except ValueError:
        return None
    return tree if isinstance(tree, dict) and tree else None


def _counted(request: HttpRequest, campaign: Campaign, *, saved: bool | None) -> HttpResponse:
    context = base_context(campaign) | _count_context(campaign) | {"saved": saved, "saved_at": timezone.now()}
    return render(request, "campaigns/parts/audience_count.html", context)


def _count_context(campaign: Campaign) -> dict[str, Any]:
    counts = None
    if campaign.audience is not None:
        try:
            counts = people.counts(people.plan(campaign))
        except (BadTree, NotComplete):
            counts = None
    return {
        "audience_sentence": sentence(campaign.audience),
        "exclusions_sentence": sentence(campaign.exclusions),
        "counts": counts,
        "waterfall": waterfall(campaign, counts),
    }


def _template_id(request: HttpRequest, campaign: Campaign) -> int | None:
    chosen = request.POST.get("template", "")
    try:
        found = Template.objects.filter(public_id=UUID(chosen), archived_at=None).values_list("pk", flat=True).first()
    except ValueError:
        return campaign.template_id
    return found if found is not None else campaign.template_id


def _mail_editor(template: Template) -> str:
    from django.urls import NoReverseMatch

    for name in ("mails:edit", "mails:editor", "mails:page"):
        try:
            return reverse(name, args=[template.public_id])
        except NoReverseMatch:
            continue
    return ""


def _sending_initial(campaign: Campaign, default_sender: int | None, topics: list[Topic]) -> dict[str, Any]:
    local = timezone.localtime(campaign.send_at) if campaign.send_at is not None else None
    matching = next((row.pk for row in topics if row.key == campaign.mail_type), None)
    return {
        "sender": str(campaign.sender_id or default_sender or ""),
        "topic": str(campaign.topic_id or matching or ""),
        "timing": campaign.timing,
        "send_at": local.strftime("%Y-%m-%dT%H:%M") if local is not None else "",
    }


def _sending_usual(mail_type: str) -> CampaignValues:
    known = senders()
    topic = Topic.objects.filter(active=True, key=mail_type).first()
    return CampaignValues(sender_id=known[0].pk if known else None, topic_id=topic.pk if topic else None)


def _topic_name(topic: Topic) -> str:
    chinese = (get_language() or "zh").startswith("zh")
    return (topic.name_zh if chinese else topic.name_en) or topic.name_zh


def _hints() -> list[dict[str, object]]:
    return [{"value": stage.value, "label": label, "hint": STAGE_HINTS[stage]} for stage, label in STAGES.items()]
