"""Runs of matching over the contacts: all of them with fresh weights, or the new and changed ones with those there are.

Everything is worked out first; then pairs are written down and people merged, hundreds a transaction. A run that is
stopped keeps what it has merged; the next one goes on.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts.models import Contact
from hongyan.core.batching import batched
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import numbers, statement
from hongyan.identity import online
from hongyan.identity.applying import Evidence, Progress, merge_groups, quiet
from hongyan.identity.arriving import Turns
from hongyan.identity.asking import MAX_OPEN, Waiting, count_open, park, worth, write_open
from hongyan.identity.matching.engine import Engine
from hongyan.identity.matching.guards import numbers_differ
from hongyan.identity.matching.resolve import (
    PRECISION,
    Resolved,
    customer_numbers,
    frequencies_of,
    pair_rows,
    resolve,
)
from hongyan.identity.models import Candidate, Model, Run
from hongyan.identity.people import everybody, some

_LATE = timedelta(minutes=30)  # contacts written by transactions that had begun before a run looked
Verdict = Candidate.Verdict


def run_full(
    *, actor: Actor, progress: Progress = quiet, precision: float = PRECISION, job_id: int | None = None
) -> Run:
    """Every contact with every other. Raises what ``progress`` raises, after the run was marked as cancelled."""
    actor.require(Permission.CONTACT_MERGE)
    return _recorded(actor, Run.Kind.FULL, job_id, lambda run: _full(run, actor, progress, precision))


def run_incremental(*, actor: Actor, progress: Progress = quiet, job_id: int | None = None) -> Run:
    """Contacts that are new or changed since the last run, against all. Without a run before, a full one."""
    actor.require(Permission.CONTACT_MERGE)
    last = Run.objects.filter(state=Run.State.FINISHED, until__isnull=False).order_by("-id").first()
    if last is None:
        return run_full(actor=actor, progress=progress, job_id=job_id)
    return _recorded(actor, Run.Kind.INCREMENTAL, job_id, lambda run: _incremental(run, actor, progress, last))


def _recorded(actor: Actor, kind: Run.Kind, job_id: int | None, work: Callable[[Run], None]) -> Run:
    run = Run.objects.create(kind=kind, job_id=job_id)
    began = time.monotonic()
    try:
        work(run)
        run.state = Run.State.FINISHED
    except Exception as error:
        # Stopped by a person or a restart, or broken: the caller learns which; the record only needs to be closed.
        run.state = Run.State.CANCELLED if type(error).__name__.startswith("Job") else Run.State.FAILED
        raise
    finally:
        run.seconds, run.finished_at = round(time.monotonic() - began, 2), now()
        run.save()
        data = {"kind": str(kind), "state": str(run.state), **{key: run.counts[key] for key in sorted(run.counts)}}
        record(
            actor=actor, action="identity.run", subject_kind="identity_run", subject_id=str(run.public_id), data=data
        )
    return run


def _full(run: Run, actor: Actor, progress: Progress, precision: float) -> None:
    run.until = now() - _LATE
    total = Contact.objects.count()
    read = 0

    def step(name: str) -> None:
        progress(read, total, name)

    engine = Engine(progress=step)
    try:
        for people in everybody():
            engine.load((person.contact_id, person.features) for person in people)
            online.write_profiles(people)
            read += len(people)
            progress(read, total, "reading")
        apart = set(Candidate.objects.filter(verdict=Verdict.APART).values_list("contact_low", "contact_high"))
        found = resolve(engine, precision=precision, apart=lambda low, high: (low, high) in apart)
        step("writing")
        run.model = _keep_model(engine, found, precision)
        run.merge_threshold, run.review_threshold = found.thresholds.merge, found.thresholds.review
        groups = found.clusters.members.values()
        evidence = _write_pairs(run, engine, found)
    finally:
        engine.close()
    run.counts = {
        "records": engine.records,
        "pairs": found.pairs,
        "people": engine.records - sum(len(group) - 1 for group in groups),
        "review": count_open(run),
        **found.notes,
    }
    run.save()
    applied = merge_groups(actor=actor, run=str(run.public_id), groups=groups, evidence=evidence, progress=progress)
    park(run, applied.failed, evidence)
    run.counts |= applied.counts()
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.identity", "matching.sql", "drop_stale"), {"run": run.pk})


def _keep_model(engine: Engine, found: Resolved, precision: float) -> Model:
    """The weights for good; how common values are only for the newest."""
    shares = frequencies_of(engine, found.weights)
    token = keyring().blind.token
    with transaction.atomic(), connection.cursor() as cursor:
        newest = Model.objects.aggregate(found=Max("version"))["found"] or 0
        model = Model.objects.create(
            version=newest + 1,
            weights=replace(found.weights, notes={**found.weights.notes, **found.notes}).dump(),
            precision_target=precision,
            merge_threshold=found.thresholds.merge,
            review_threshold=found.thresholds.review,
            records=engine.records,
        )
        cursor.execute(statement("hongyan.identity", "matching.sql", "forget_frequencies"))
        for block in batched(shares.items(), 20_000):
            cursor.execute(
                statement("hongyan.identity", "matching.sql", "write_frequencies"),
                {
                    "names": [column for (column, _), _ in block],
                    "tokens": numbers(token(online.frequency_word(column, value)) for (column, value), _ in block),
                    "shares": [share for _, share in block],
                },
            )
    return model


def _write_pairs(run: Run, engine: Engine, found: Resolved) -> Evidence:
    """Pairs that wait for a person; the evidence of those that are one person is returned for the merges."""
    held = {(min(low, high), max(low, high)): why for low, high, why in found.clusters.held}
    evidence: dict[tuple[int, int], dict[str, Any]] = {}
    waiting: list[Waiting] = []
    for row in pair_rows(engine, found.table, found.weights):
        pair = (row.low, row.high)
        if found.clusters.root(row.low) == found.clusters.root(row.high):
            evidence[pair] = {
                "probability": round(row.probability, 6),
                "weight": round(row.weight, 3),
                "comparisons": list(row.evidence),
            }
            continue
        why = held.get(pair, "")
        if why != "apart":
            size = len(found.clusters.group(row.low)) + len(found.clusters.group(row.high))
            waiting.append((worth(row.probability, size, held=bool(why)), row, why))
    waiting.sort(key=lambda entry: (-entry[0], entry[1].low, entry[1].high))
    for block in batched(waiting[:MAX_OPEN], 2_000):
        numbers_of = customer_numbers(engine, {number for _, row, _ in block for number in (row.low, row.high)})
        write_open(run, (_with_numbers(entry, numbers_of) for entry in block))
    return evidence


def _with_numbers(entry: Waiting, numbers_of: Mapping[int, Sequence[str]]) -> Waiting:
    """A pair that is not likely enough to be merged says, too, that one source holds the two for two customers."""
    value, row, why = entry
    differ = not why and numbers_differ(numbers_of.get(row.low, ()), numbers_of.get(row.high, ()))
    return (value, row, "customer_number") if differ else entry


def _incremental(run: Run, actor: Actor, progress: Progress, last: Run) -> None:
    run.until = now() - _LATE
    model = online.current()
    run.model_id, run.merge_threshold, run.review_threshold = model.number, model.merge, model.review
    changed = list(
        Contact.objects.filter(updated_at__gt=last.until).order_by("updated_at", "pk").values_list("pk", flat=True)
    )
    for block in batched(changed, 1_000):
        online.write_profiles(list(some(block).values()))
    turns = Turns(actor, run, model)
    turns.take(changed, progress)
    run.counts = turns.counts()
