"""Who is the same person: pairs that wait, answers, merges and their undoing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status

from hongyan.accounts.permissions import Permission
from hongyan.api.auth import actor
from hongyan.api.bodies import Body
from hongyan.api.problems import Problem
from hongyan.contacts.selectors import contact_by_public_id
from hongyan.identity import review
from hongyan.identity.errors import AlreadyMerged, CandidateGone, MergeRefused, UnmergeRefused
from hongyan.identity.merging import merge, unmerge, unmerge_from_below
from hongyan.identity.models_merging import Merge
from hongyan.identity.types import MergeReason

router = Router()
_MOST = 200


class EvidenceOut(Schema):
    comparison: str
    level: str
    weight: float


class CandidateOut(Schema):
    """Two contacts that may be one person. suggested_survivor: the one that stays unless a merge says otherwise."""

    id: UUID
    suggested_survivor: UUID
    other: UUID
    probability: float
    state: str
    reason: str


class CandidateDetail(CandidateOut):
    evidence: list[EvidenceOut]


class CandidatesOut(Schema):
    items: list[CandidateOut]
    total: int


class Answer(Body):
    """one_person: merge them. survivor: which of the two keeps its id. choices: field → first | second, the value that
    stays instead of what the rules say (first: the suggested survivor's)."""

    one_person: bool
    survivor: UUID | None = None
    choices: dict[str, str] = {}


class AnswerOut(Schema):
    candidate: UUID
    one_person: bool
    merge: UUID | None


class NewMerge(Body):
    """choices: field → survivor | loser."""

    survivor: UUID
    loser: UUID
    choices: dict[str, str] = {}


class MergeOut(Schema):
    id: UUID
    survivor: UUID
    loser: UUID
    reason: str
    merged_at: datetime
    merged_by: str
    undone_at: datetime | None
    undone_by: str


class MergesOut(Schema):
    items: list[MergeOut]
    next: str | None


class Undoing(Body):
    """with_newer: take merges on top of this one back too, and make them again afterwards."""

    with_newer: bool = False


@router.get("/candidates", response=CandidatesOut, summary="Pairs that wait for an answer, the most valuable first")
def candidates(request: HttpRequest, limit: int = 50) -> CandidatesOut:
    who = actor(request)
    who.require(Permission.CONTACT_MERGE)
    pairs = review.queue(actor=who, limit=min(max(limit, 1), _MOST))
    return CandidatesOut(items=[_candidate(pair) for pair in pairs], total=review.open_count(actor=who))


@router.get(
    "/candidates/{candidate_id}", response=CandidateDetail, summary="One pair, and what speaks for it and against"
)
def candidate(request: HttpRequest, candidate_id: UUID) -> CandidateDetail:
    who = actor(request)
    who.require(Permission.CONTACT_MERGE)
    try:
        page = review.pair_page(actor=who, public_id=candidate_id)
    except CandidateGone as error:
        raise _gone() from error
    evidence = [EvidenceOut(comparison=item.comparison, level=item.level, weight=item.weight) for item in page.evidence]
    return CandidateDetail(**_candidate(page.pair).dict(), evidence=evidence)


@router.post("/candidates/{candidate_id}/decision", response=AnswerOut, summary="One person, or two")
def decide(request: HttpRequest, candidate_id: UUID, data: Answer) -> AnswerOut:
    who = actor(request)
    try:
        if not data.one_person:
            review.pair_apart(actor=who, public_id=candidate_id)
            return AnswerOut(candidate=candidate_id, one_person=False, merge=None)
        pair = review.pair_page(actor=who, public_id=candidate_id).pair
        swapped = data.survivor == pair.second.public_id
        sides = {"first": "loser" if swapped else "survivor", "second": "survivor" if swapped else "loser"}
        made = review.pair_merge(
            actor=who,
            public_id=candidate_id,
            survivor=data.survivor,
            choices={field: sides.get(side, side) for field, side in data.choices.items()},
            reason=MergeReason.REVIEWED,
        )
    except CandidateGone as error:
        raise _gone() from error
    except MergeRefused as error:
        raise Problem(422, error.code, _("These two cannot be merged like this.")) from error
    return AnswerOut(candidate=candidate_id, one_person=True, merge=made.public_id)


@router.get("/merges", response=MergesOut, summary="What was merged, newest first")
def merges(request: HttpRequest, cursor: str = "", limit: int = 50) -> MergesOut:
    who = actor(request)
    who.require(Permission.CONTACT_MERGE)
    size = min(max(limit, 1), _MOST)
    rows = review.merge_rows(actor=who, before=_before(cursor), limit=size + 1)
    last = rows[size - 1].merge if len(rows) > size else None
    following = f"{last.merged_at.isoformat()}~{last.pk}" if last else None
    return MergesOut(items=[_merge(row.merge) for row in rows[:size]], next=following)


@router.post("/merges", response={201: MergeOut}, summary="Make two contacts one")
def merge_new(request: HttpRequest, data: NewMerge) -> Status[MergeOut]:
    who = actor(request)
    survivor, _seen = contact_by_public_id(actor=who, public_id=data.survivor, audit=False)
    loser, _seen = contact_by_public_id(actor=who, public_id=data.loser, audit=False)
    try:
        made = merge(
            actor=who,
            survivor_id=survivor.pk,
            loser_id=loser.pk,
            reason=MergeReason.API,
            choices=data.choices,
        )
    except AlreadyMerged as error:
        raise Problem(409, "already-merged", _("The two are one contact already.")) from error
    except MergeRefused as error:
        raise Problem(422, error.code, _("These two cannot be merged like this.")) from error
    return Status(201, _merge(made))


@router.post("/merges/{merge_id}/undoing", response=MergeOut, summary="Make two contacts of it again")
def merge_undo(request: HttpRequest, merge_id: UUID, data: Undoing) -> MergeOut:
    who = actor(request)
    who.require(Permission.CONTACT_MERGE)
    made = review.merge_by_public_id(actor=who, public_id=merge_id)
    act = unmerge_from_below if data.with_newer else unmerge
    try:
        return _merge(act(actor=who, merge_id=made.pk))
    except UnmergeRefused as error:
        raise Problem(409, error.code.replace("_", "-"), _sentence(error.code)) from error


def _sentence(code: str) -> str:
    texts: dict[str, str] = {
        "undone": _("This merge was taken back already."),
        "erased": _("One of the two people was erased; nothing is left to restore."),
        "newer_first": _("Newer merges stand on top of this one; undo them first, or send with_newer."),
        "identifier_taken": _("An address of the other record belongs to somebody else by now."),
    }
    return texts.get(code, _("This merge cannot be taken back."))


def _candidate(pair: Any) -> CandidateOut:
    return CandidateOut(
        id=pair.public_id,
        suggested_survivor=pair.first.public_id,
        other=pair.second.public_id,
        probability=pair.probability,
        state=str(pair.verdict),
        reason=pair.reason,
    )


def _merge(made: Merge) -> MergeOut:
    return MergeOut(
        id=made.public_id,
        survivor=made.survivor_public_id,
        loser=made.loser_public_id,
        reason=made.reason,
        merged_at=made.merged_at,
        merged_by=made.merged_by,
        undone_at=made.undone_at,
        undone_by=made.undone_by,
    )


def _before(text: str) -> tuple[datetime, int] | None:
    if not text:
        return None
    at, _tilde, number = text.partition("~")
    try:
        return datetime.fromisoformat(at.replace(" ", "+")), int(number)
    except ValueError as error:
        raise Problem.bad_cursor() from error


def _gone() -> Problem:
    return Problem(404, "not-found", _("There is no such pair, or somebody has decided about it."))
