"""The review: one pair after the other, decided by hand or by key."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.contacts.errors import ContactNotFound
from hongyan.contacts.listing import contact_rows
from hongyan.contacts.models import Contact
from hongyan.contacts.selectors import contact_by_public_id
from hongyan.identity import review
from hongyan.identity.errors import AlreadyMerged, CandidateGone, MergeRefused
from hongyan.identity.masking import masked
from hongyan.identity.merging import merge, preview
from hongyan.identity.models_merging import Merge
from hongyan.identity.types import MergeReason
from hongyan.jobs.services import job_start
from hongyan.web.identity import words
from hongyan.web.identity.runs import run_facts
from hongyan.web.identity.shared import actor_of, choices_of, field_rows

_LISTED = 60
_WIDEST = 12.0  # weights beyond this fill the bar
SURE = (0.999, 0.995, 0.99, 0.98, 0.95, 0.9)


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_MERGE)
    held = review.FAILED if request.GET.get("held") == review.FAILED else ""
    pairs = review.queue(actor=actor, limit=_LISTED, reason=held)
    wanted = request.GET.get("pair", "")
    chosen = next((pair for pair in pairs if str(pair.public_id) == wanted), pairs[0] if pairs else None)
    page = None
    if chosen is not None:
        try:
            page = review.pair_page(actor=actor, public_id=chosen.public_id)
        except CandidateGone:
            return redirect("identity:index")
    return render(
        request,
        "identity/index.html",
        {
            "pairs": pairs,
            "page": page,
            "next": _after(pairs, page),
            "rows": field_rows(page.decisions) if page else [],
            "evidence": _evidence(page) if page else [],
            "guard": words.guard(page.pair.reason) if page and page.pair.reason else "",
            "total": review.open_count(actor=actor),
            "may_decide": actor.may(Permission.CONTACT_IDENTITY),
            "held": held,
            "done": _done(request),
            "parted": request.GET.get("apart", ""),
            **run_facts(actor),
        },
    )


@require_POST
def pair_merged(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    try:
        page = review.pair_page(actor=actor, public_id=public_id)
        swapped = request.POST.get("survivor") == "second"
        made = review.pair_merge(
            actor=actor,
            public_id=public_id,
            survivor=page.sides[swapped].row.public_id,
            choices=choices_of(request, page.decisions, swapped=swapped),
        )
    except (CandidateGone, ContactNotFound):
        messages.warning(request, str(words.REFUSALS["gone"]))
        return _onward(request)
    except MergeRefused as refused:
        messages.error(request, str(words.REFUSALS[refused.code]))
        return _onward(request)
    return _onward(request, done=str(made.public_id))


@require_POST
def pair_parted(request: HttpRequest, public_id: UUID) -> HttpResponse:
    try:
        review.pair_apart(actor=actor_of(request), public_id=public_id)
    except CandidateGone:
        messages.warning(request, str(words.REFUSALS["gone"]))
        return _onward(request)
    return _onward(request, apart=str(public_id))


@require_POST
def pair_reopened(request: HttpRequest, public_id: UUID) -> HttpResponse:
    try:
        review.pair_reopen(actor=actor_of(request), public_id=public_id)
    except CandidateGone:
        messages.warning(request, str(words.REFUSALS["gone"]))
        return redirect("identity:index")
    messages.success(request, _("The pair waits for a decision again."))
    return redirect(f"{reverse('identity:index')}?{urlencode({'pair': str(public_id)})}")


@require_http_methods(["GET", "POST"])
def sure(request: HttpRequest) -> HttpResponse:
    """Merging all pairs above a probability at once: first how many, then the doing."""
    actor = actor_of(request)
    actor.require(Permission.CONTACT_MERGE)
    if request.method == "POST":
        actor.require(Permission.CONTACT_IDENTITY)
        level = _level(request.POST.get("level", ""))
        job_start(actor=actor, kind="identity_merge_sure", params={"at_least": level, "by": actor.label[:120]})
        messages.success(request, _("The merging has begun. Each merge can be undone in the list of merges."))
        return redirect("identity:merges")
    level = _level(request.GET.get("level", ""))
    counts = [(each, review.sure_count(actor=actor, at_least=each)) for each in SURE]
    return render(
        request,
        "identity/sure.html",
        {
            "level": level,
            "count": next(count for each, count in counts if each == level),
            "counts": counts,
            "may_decide": actor.may(Permission.CONTACT_IDENTITY),
        },
    )


@require_http_methods(["GET", "POST"])
def compare(request: HttpRequest, first: UUID, second: UUID) -> HttpResponse:
    """Any two records that somebody thinks are one person."""
    actor = actor_of(request)
    actor.require(Permission.CONTACT_MERGE)
    if first == second:
        raise Http404
    one, two = _two(request, first, second)
    decisions = preview(one, two)
    if request.method == "POST":
        actor.require(Permission.CONTACT_IDENTITY)
        swapped = request.POST.get("survivor") == "second"
        survivor, loser = (two, one) if swapped else (one, two)
        try:
            merge(
                actor=actor,
                survivor_id=survivor.pk,
                loser_id=loser.pk,
                reason=MergeReason.MANUAL,
                choices=choices_of(request, decisions, swapped=swapped),
            )
        except (AlreadyMerged, ContactNotFound):
            messages.warning(request, str(words.REFUSALS["already"]))
            return redirect("identity:merges")
        messages.success(request, _("The two records are one now. It can be undone in the list of merges."))
        return redirect("contacts:contact", survivor.public_id)
    clear = actor.may(Permission.CONTACT_IDENTITY)
    rows = {row.id: row for row in contact_rows(actor=actor, contact_ids=[one.pk, two.pk])}
    return render(
        request,
        "identity/compare.html",
        {
            "sides": [rows[one.pk], rows[two.pk]],
            "rows": field_rows(decisions if clear else [masked(made) for made in decisions]),
            "may_decide": clear,
        },
    )


def _two(request: HttpRequest, first: UUID, second: UUID) -> tuple[Contact, Contact]:
    try:
        one, _seen = contact_by_public_id(actor=actor_of(request), public_id=first)
        two, _seen = contact_by_public_id(actor=actor_of(request), public_id=second)
    except ContactNotFound as error:
        raise Http404 from error
    return one, two


def _after(pairs: list[review.Pair], page: review.PairPage | None) -> str:
    """The pair that follows, for deciding and skipping; the first again after the last."""
    if page is None or len(pairs) < 2:
        return ""
    place = [pair.public_id for pair in pairs].index(page.pair.public_id)
    return str(pairs[(place + 1) % len(pairs)].public_id)


def _evidence(page: review.PairPage) -> list[dict[str, Any]]:
    """Strongest first. Bars grow from the middle: to the right for one person, to the left against."""
    found = []
    for item in sorted(page.evidence, key=lambda item: -abs(item.weight)):
        if item.level == "unknown":
            continue
        compared, finding = words.evidence(item.comparison, item.level)
        width = min(abs(item.weight), _WIDEST) / _WIDEST * 50
        found.append(
            {
                "compared": compared,
                "finding": finding,
                "strength": words.strength(item.weight),
                "tone": "for" if item.weight > 0 else "against",
                "x": f"{50 if item.weight > 0 else 50 - width:.1f}%",
                "width": f"{max(width, 0.8):.1f}%",
            }
        )
    return found


def _done(request: HttpRequest) -> Merge | None:
    try:
        public_id = UUID(request.GET.get("done", ""))
        made = review.merge_by_public_id(actor=actor_of(request), public_id=public_id)
    except (ValueError, Merge.DoesNotExist):
        return None
    return made if made.undone_at is None else None


def _onward(request: HttpRequest, **facts: str) -> HttpResponse:
    following, held = request.POST.get("next", ""), request.POST.get("held", "")
    kept = {name: value for name, value in (("pair", following), ("held", held)) if value}
    query = urlencode({**kept, **facts})
    return redirect(f"{reverse('identity:index')}?{query}" if query else reverse("identity:index"))


def _level(text: str) -> float:
    try:
        level = float(text)
    except ValueError:
        return SURE[0]
    return level if level in SURE else SURE[0]
