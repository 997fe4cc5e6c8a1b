"""The queue of pairs that a person decides about, and what was decided."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts.listing import contact_rows
from hongyan.contacts.models import Contact
from hongyan.contacts.types import ContactRow
from hongyan.core.clock import now
from hongyan.core.sql import any_of, statement
from hongyan.identity.errors import AlreadyMerged, CandidateGone, MergeRefused
from hongyan.identity.masking import masked
from hongyan.identity.merging import merge, preview
from hongyan.identity.models import Candidate, Run
from hongyan.identity.models_merging import Merge
from hongyan.identity.types import Decision, MergeReason

FAILED: Final = "failed"  # the reason of pairs that a run would have merged and could not
OPEN: Final = (Candidate.Verdict.PENDING, Candidate.Verdict.REVIEW)


@dataclass(frozen=True, slots=True)
class Pair:
    """One entry of the queue. first: the record that would stay."""

    public_id: UUID
    first: ContactRow
    second: ContactRow
    probability: float
    verdict: str
    reason: str  # of REVIEW: which guard held the pair back


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one comparison said. weight: log2 of how much likelier this is if the two are one person."""

    comparison: str
    level: str
    weight: float


@dataclass(frozen=True, slots=True)
class Side:
    """Facts beside the fields that help to decide."""

    row: ContactRow
    events: int
    messages: int
    owner: str


@dataclass(frozen=True, slots=True)
class PairPage:
    pair: Pair
    sides: tuple[Side, Side]
    decisions: Sequence[Decision]  # masked without CONTACT_IDENTITY
    evidence: Sequence[Evidence]
    masked: bool


@dataclass(frozen=True, slots=True)
class MergeRow:
    """One line of the list of merges. survivor: the contact it is now; None when erased."""

    merge: Merge
    survivor: ContactRow | None
    can_undo: bool


def queue(*, actor: Actor, limit: int = 50, reason: str = "") -> list[Pair]:
    """Pairs that wait, the most valuable answer first. reason: only those that this guard held back."""
    actor.require(Permission.CONTACT_VIEW)
    rows = _open().filter(reason=reason) if reason else _open()
    return _pairs(actor, rows.order_by("-value", "id")[:limit])


def open_count(*, actor: Actor, at_least: float = 0.0) -> int:
    actor.require(Permission.CONTACT_VIEW)
    return _open().filter(probability__gte=at_least).count()


def pair_page(*, actor: Actor, public_id: UUID) -> PairPage:
    """Raises CandidateGone."""
    actor.require(Permission.CONTACT_VIEW)
    candidate = _open().filter(public_id=public_id).first()
    if candidate is None:
        raise CandidateGone
    pairs = _pairs(actor, [candidate])
    if not pairs:
        raise CandidateGone
    pair = pairs[0]
    contacts = Contact.objects.select_related("owner").in_bulk([pair.first.id, pair.second.id])
    survivor, loser = contacts[pair.first.id], contacts[pair.second.id]
    hidden = not actor.may(Permission.CONTACT_IDENTITY)
    if not hidden:
        for contact in (survivor, loser):
            record(actor=actor, action="contact.viewed", subject_kind="contact", subject_id=str(contact.public_id))
    decisions = preview(survivor, loser)
    counts = _activity([survivor.pk, loser.pk])
    sides = tuple(
        Side(row, *counts[contact.pk], contact.owner.email if contact.owner else "")
        for row, contact in ((pair.first, survivor), (pair.second, loser))
    )
    return PairPage(
        pair=pair,
        sides=(sides[0], sides[1]),
        decisions=[masked(made) for made in decisions] if hidden else decisions,
        evidence=[
            Evidence(str(item.get("comparison", "")), str(item.get("level", "")), float(item.get("weight", 0)))
            for item in candidate.evidence
        ],
        masked=hidden,
    )


def pair_merge(
    *,
    actor: Actor,
    public_id: UUID,
    survivor: UUID | None = None,
    choices: Mapping[str, str] | None = None,
    reason: MergeReason = MergeReason.REVIEWED,
) -> Merge:
    """survivor: public id of the record that stays; None: the suggested one. Raises CandidateGone, MergeRefused."""
    _require(actor)
    with transaction.atomic():
        candidate = _taken(public_id)
        first, second = _contacts(candidate)
        if survivor == second.public_id:
            first, second = second, first
        elif survivor not in {None, first.public_id}:
            raise MergeRefused("choices")
        try:
            made = merge(
                actor=actor,
                survivor_id=first.pk,
                loser_id=second.pk,
                reason=reason,
                evidence={"candidate": str(candidate.public_id), "probability": candidate.probability},
                choices=choices,
            )
        except AlreadyMerged as error:
            raise CandidateGone from error
    return made


def pair_apart(*, actor: Actor, public_id: UUID) -> Candidate:
    """Two people; nobody is asked about them again. Raises CandidateGone."""
    _require(actor)
    with transaction.atomic():
        candidate = _taken(public_id)
        first, second = _contacts(candidate)
        _decide(actor, candidate, Candidate.Verdict.APART)
        record(
            actor=actor,
            action="pair.apart",
            subject_kind="contact",
            subject_id=str(first.public_id),
            data={"other": str(second.public_id)},
        )
    return candidate


def pair_reopen(*, actor: Actor, public_id: UUID) -> Candidate:
    """Take back that two records are two people. Raises CandidateGone."""
    _require(actor)
    with transaction.atomic():
        candidate = (
            Candidate.objects.select_for_update().filter(public_id=public_id, verdict=Candidate.Verdict.APART).first()
        )
        if candidate is None:
            raise CandidateGone
        candidate.verdict = Candidate.Verdict.REVIEW if candidate.reason else Candidate.Verdict.PENDING
        candidate.decided_by, candidate.decided_at = None, None
        candidate.save(update_fields=["verdict", "decided_by", "decided_at"])
        record(actor=actor, action="pair.reopened", subject_kind="pair", subject_id=str(candidate.public_id))
    return candidate


def merge_rows(
    *, actor: Actor, before: tuple[datetime, int] | None = None, limit: int = 50, contact_id: int | None = None
) -> list[MergeRow]:
    """Newest first. contact_id: those in which the contact had a part."""
    actor.require(Permission.CONTACT_VIEW)
    rows = Merge.objects.order_by("-merged_at", "-id")
    if contact_id is not None:
        rows = rows.filter(survivor_id=contact_id) | rows.filter(loser_id=contact_id)
    if before is not None:
        rows = rows.filter(merged_at__lte=before[0]).exclude(merged_at=before[0], id__gte=before[1])
    found = list(rows.defer("sealed")[:limit])
    whom = {row.id: row for row in contact_rows(actor=actor, contact_ids=[made.survivor_id for made in found])}
    return [MergeRow(made, whom.get(made.survivor_id), made.undone_at is None and not made.erased) for made in found]


def merge_by_public_id(*, actor: Actor, public_id: UUID) -> Merge:
    """Raises Merge.DoesNotExist."""
    actor.require(Permission.CONTACT_VIEW)
    return Merge.objects.defer("sealed").get(public_id=public_id)


def last_run(*, actor: Actor) -> Run | None:
    actor.require(Permission.CONTACT_VIEW)
    return Run.objects.exclude(kind=Run.Kind.FILES).select_related("job", "model").order_by("-id").first()


def sure_pairs(at_least: float) -> list[UUID]:
    """Open pairs that nothing speaks against but that nobody has confirmed; for a job."""
    rows = _open().filter(probability__gte=at_least, verdict=Candidate.Verdict.PENDING)
    return list(rows.order_by("-probability", "id").values_list("public_id", flat=True))


def sure_count(*, actor: Actor, at_least: float) -> int:
    actor.require(Permission.CONTACT_VIEW)
    return _open().filter(probability__gte=at_least, verdict=Candidate.Verdict.PENDING).count()


def failed_pairs() -> list[UUID]:
    """For a job."""
    return list(_open().filter(reason=FAILED).order_by("id").values_list("public_id", flat=True))


def failed_count(*, actor: Actor) -> int:
    actor.require(Permission.CONTACT_VIEW)
    return _open().filter(reason=FAILED).count()


def _open() -> QuerySet[Candidate]:
    """Pairs of which both are still there."""
    low, high = (Contact.objects.filter(pk=OuterRef(name)) for name in ("contact_low", "contact_high"))
    return Candidate.objects.filter(Exists(low), Exists(high), verdict__in=OPEN)


def _pairs(actor: Actor, candidates: Iterable[Candidate]) -> list[Pair]:
    listed = list(candidates)
    ids = {number for found in listed for number in (found.contact_low, found.contact_high)}
    rows = {row.id: row for row in contact_rows(actor=actor, contact_ids=sorted(ids))}
    pairs = []
    for found in listed:
        low, high = rows.get(found.contact_low), rows.get(found.contact_high)
        if low is not None and high is not None:
            # The older record stays: more is linked to its address.
            first, second = sorted((low, high), key=lambda row: (row.created_at, row.id))
            pairs.append(Pair(found.public_id, first, second, found.probability, found.verdict, found.reason))
    return pairs


def _activity(contact_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Events and mails of each, counted up to 1,000."""
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.identity", "review.sql", "activity"), {"ids": list(contact_ids)})
        return {contact_id: (events, mails) for contact_id, events, mails in cursor.fetchall()}


def _taken(public_id: UUID) -> Candidate:
    candidate = Candidate.objects.select_for_update().filter(public_id=public_id, verdict__in=OPEN).first()
    if candidate is None:
        raise CandidateGone
    return candidate


def _contacts(candidate: Candidate) -> tuple[Contact, Contact]:
    """The one that stays first. Locked, so that a merge elsewhere cannot slip between."""
    ids = [candidate.contact_low, candidate.contact_high]
    rows = list(Contact.objects.select_for_update().filter(pk__in=any_of(ids)).order_by("pk"))
    if len(rows) < 2:
        raise CandidateGone
    rows.sort(key=lambda row: (row.created_at, row.pk))
    return rows[0], rows[1]


def _decide(actor: Actor, candidate: Candidate, verdict: Candidate.Verdict) -> None:
    candidate.verdict, candidate.decided_at = verdict, now()
    candidate.decided_by_id = actor.id if actor.kind == "user" else None
    candidate.save(update_fields=["verdict", "decided_at", "decided_by"])


def _require(actor: Actor) -> None:
    """Who sees stars cannot judge whether two records are one person."""
    actor.require(Permission.CONTACT_MERGE)
    actor.require(Permission.CONTACT_IDENTITY)
