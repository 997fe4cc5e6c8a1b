"""What was merged, by whom and why; and taking it back."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.identity import review
from hongyan.identity.errors import UnmergeRefused
from hongyan.identity.merging import blockers, unmerge, unmerge_from_below
from hongyan.identity.models_merging import Merge
from hongyan.web.identity import words
from hongyan.web.identity.shared import actor_of

_PAGE = 40


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_MERGE)
    rows = review.merge_rows(actor=actor, before=_before(request.GET.get("after", "")), limit=_PAGE + 1)
    shown, more = rows[:_PAGE], len(rows) > _PAGE
    last = shown[-1].merge if more else None
    return render(
        request,
        "identity/merges.html",
        {
            "rows": [_line(row) for row in shown],
            "after": f"{last.merged_at.isoformat()}~{last.pk}" if last else "",
            "below": _below(request),
            "total": review.open_count(actor=actor),
        },
    )


@require_POST
def undo(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_MERGE)
    try:
        made = review.merge_by_public_id(actor=actor, public_id=public_id)
    except Merge.DoesNotExist as error:
        raise Http404 from error
    act = unmerge_from_below if request.POST.get("below") else unmerge
    try:
        act(actor=actor, merge_id=made.pk)
    except UnmergeRefused as refused:
        if refused.code == "newer_first":
            return redirect(f"{reverse('identity:merges')}?{urlencode({'below': str(public_id)})}")
        messages.error(request, str(words.REFUSALS[refused.code]))
        return redirect("identity:merges")
    messages.success(request, _("The merge was taken back: both records are as they were."))
    if request.POST.get("back") == "queue":
        return redirect("identity:index")
    return redirect("identity:merges")


def _line(row: review.MergeRow) -> dict[str, Any]:
    return {
        "merge": row.merge,
        "survivor": row.survivor,
        "can_undo": row.can_undo,
        "reason": str(words.REASONS.get(row.merge.reason, row.merge.reason)),
        "probability": row.merge.evidence.get("probability"),
    }


def _below(request: HttpRequest) -> dict[str, Any] | None:
    """A merge that others stand on, about to be undone together with them."""
    try:
        made = review.merge_by_public_id(actor=actor_of(request), public_id=UUID(request.GET.get("below", "")))
    except (ValueError, Merge.DoesNotExist):
        return None
    count = len(blockers(made))
    text = ngettext(
        "%(count)s newer merge stands on top of this one. It is taken back first and made again afterwards.",
        "%(count)s newer merges stand on top of this one. They are taken back first and made again afterwards.",
        count,
    ) % {"count": count}
    return {"merge": made, "text": text} if count else None


def _before(text: str) -> tuple[datetime, int] | None:
    at, _tilde, number = text.partition("~")
    try:
        return datetime.fromisoformat(at.replace(" ", "+")), int(number)
    except ValueError:
        return None
