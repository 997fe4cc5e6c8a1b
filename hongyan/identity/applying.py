"""Merging what a run has found: many people a transaction, and those by themselves with whom that does not work."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from django.db import connection

from hongyan.accounts.types import Actor
from hongyan.contacts.errors import ContactNotFound
from hongyan.core.batching import batched
from hongyan.identity.errors import MergeRefused
from hongyan.identity.joining import Wanted
from hongyan.identity.merging import merge, merge_many
from hongyan.identity.types import MergeReason

BATCH: Final = 250  # people a transaction: a third of a second in which nobody else can change them
Evidence = Mapping[tuple[int, int], Mapping[str, Any]]
Progress = Callable[[int, int | None, str], None]


def quiet(done: int, total: int | None, step: str) -> None:
    """Tells nobody."""


_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Applied:
    """What became of it. failed: pairs that should have been merged and could not be; why: names of errors."""

    merged: int = 0
    failed: list[tuple[int, int]] = field(default_factory=list)
    why: Counter[str] = field(default_factory=Counter)

    def counts(self) -> dict[str, Any]:
        return {"merged": self.merged, **({"failed": len(self.failed), "why": dict(self.why)} if self.failed else {})}


def merge_groups(
    *, actor: Actor, run: str, groups: Iterable[list[int]], evidence: Evidence, progress: Progress
) -> Applied:
    """Every group into its oldest record. run: public id, written beside each merge. A batch is merged whole or not at
    all; what raises is then merged group by group, so that one does not keep the others apart. ``progress`` may raise
    between batches: what is merged stays, and another run goes on with the rest."""
    wanted = [_pairs(group, run, evidence) for group in sorted(groups)]
    total, done, applied = sum(map(len, wanted)), 0, Applied()
    for batch in batched(wanted, BATCH):
        progress(done, total, "merging")
        apply(actor, batch, applied)
        done += sum(map(len, batch))
    progress(total, total, "merging")
    return applied


def _merged(actor: Actor, pair: Wanted) -> bool:
    """One pair. False where somebody erased or merged one of them meanwhile."""
    try:
        merge(
            actor=actor,
            survivor_id=pair.survivor_id,
            loser_id=pair.loser_id,
            reason=MergeReason.MATCHED,
            evidence=pair.evidence,
        )
    except (MergeRefused, ContactNotFound):
        return False
    return True


def _pairs(group: Sequence[int], run: str, evidence: Evidence) -> list[Wanted]:
    survivor, *losers = group
    return [Wanted(survivor, loser, {"run": run, **_best(evidence, loser, group)}) for loser in losers]


def apply(actor: Actor, batch: Sequence[Sequence[Wanted]], applied: Applied) -> None:
    """One batch; what becomes of it is added to ``applied``. Nobody is in two of its groups."""
    if not batch:
        return
    try:
        applied.merged += merge_many(actor=actor, groups=batch, reason=MergeReason.MATCHED)
    except Exception as error:
        if not connection.is_usable():
            raise
        _log.warning("identity.batch_fell_apart", groups=len(batch), why=_name(error))
        for pair in (pair for group in batch for pair in group):
            _apply_one(actor, pair, applied)


def _apply_one(actor: Actor, pair: Wanted, applied: Applied) -> None:
    try:
        applied.merged += _merged(actor, pair)
    except Exception as error:
        if not connection.is_usable():
            raise
        name = _name(error)
        _log.warning("identity.merge_failed", survivor=pair.survivor_id, loser=pair.loser_id, why=name)
        applied.failed.append((pair.survivor_id, pair.loser_id))
        applied.why[name] += 1


def _name(error: Exception) -> str:
    """Its class and the constraint it names; never its text, which may hold values of a person."""
    diagnosis = getattr(error.__cause__, "diag", None)
    constraint = getattr(diagnosis, "constraint_name", None)
    return f"{type(error).__name__}: {constraint}" if constraint else type(error).__name__


def _best(evidence: Evidence, loser: int, group: Sequence[int]) -> Mapping[str, Any]:
    """What spoke most for the loser being one of the group."""
    pairs = [(min(loser, other), max(loser, other)) for other in group if other != loser]
    found = [evidence[pair] for pair in pairs if pair in evidence]
    return max(found, key=lambda entry: float(entry["weight"]), default={})
