"""Runs of matching over the contacts: all of them with fresh weights, or the new and changed ones with those there are.

Everything is worked out first; then pairs are written down and people merged, hundreds a transaction. A run that is
stopped keeps what it has merged; the next one goes on.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import orjson
from django.db import connection, transaction
from django.db.models import Max

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts.merging import current_ids
from hongyan.contacts.models import Contact
from hongyan.core.batching import batched
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring
from hongyan.core.ids import uuid7
from hongyan.core.sql import numbers, statement
from hongyan.identity import online
from hongyan.identity.applying import Applied, Evidence, Progress, merge_groups, merged, quiet
from hongyan.identity.guarding import guards_for, held_back
from hongyan.identity.joining import Wanted
from hongyan.identity.matching.engine import Engine
from hongyan.identity.matching.guards import numbers_differ
from hongyan.identity.matching.resolve import (
    PRECISION,
    PairRow,
    Resolved,
    customer_numbers,
    frequencies_of,
    pair_rows,
    resolve,
)
from hongyan.identity.models import Candidate, Model, Run
from hongyan.identity.people import everybody, some

MAX_OPEN: Final = 200_000  # pairs written down for people to look at, the most valuable first
_LATE = timedelta(minutes=30)  # contacts written by transactions that had begun before a run looked
Verdict = Candidate.Verdict
Waiting = tuple[float, PairRow, str]  # what an answer is worth, the pair, which guard held it back


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
        "review": _open(run),
        **found.notes,
    }
    run.save()
    applied = merge_groups(actor=actor, run=str(run.public_id), groups=groups, evidence=evidence, progress=progress)
    _park(run, applied, evidence)
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
            weights=found.weights.dump(),
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
    evidence: Evidence = {}
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
        write_open(run, [_with_numbers(entry, numbers_of) for entry in block])
    return evidence


def _with_numbers(entry: Waiting, numbers_of: Mapping[int, Sequence[str]]) -> Waiting:
    """A pair that is not likely enough to be merged says, too, that one source holds the two for two customers."""
    value, row, why = entry
    differ = not why and numbers_differ(numbers_of.get(row.low, ()), numbers_of.get(row.high, ()))
    return (value, row, "customer_number") if differ else entry


def worth(probability: float, records: int, *, held: bool) -> float:
    """How much a person's answer is worth: most where the machine knows least, and where much hangs on it.

    records: that would become one contact. held: the weights were for it, but a guard was against.
    """
    p = min(max(probability, 1e-9), 1 - 1e-9)
    doubt = -(p * math.log2(p) + (1 - p) * math.log2(1 - p))
    return round((max(doubt, 0.75) if held else doubt) * math.log2(records), 4)


def write_open(run: Run, block: Sequence[Waiting]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.identity", "matching.sql", "write_pairs"),
            {
                "run": run.pk,
                "model": run.model_id,
                "public_ids": [uuid7() for _ in block],
                "lows": numbers(row.low for _, row, _ in block),
                "highs": numbers(row.high for _, row, _ in block),
                "probabilities": [row.probability for _, row, _ in block],
                "weights": [row.weight for _, row, _ in block],
                "evidence": [orjson.dumps(list(row.evidence)).decode() for _, row, _ in block],
                "verdicts": [str(Verdict.REVIEW if why else Verdict.PENDING) for _, _, why in block],
                "values": [value for value, _, _ in block],
                "reasons": [why for _, _, why in block],
            },
        )


def _park(run: Run, applied: Applied, evidence: Evidence) -> None:
    """What could not be merged waits for a person, with the reason that it failed."""
    rows = []
    for survivor, loser in applied.failed:
        low, high = sorted((survivor, loser))
        known = evidence.get((low, high), {})
        weight, probability = float(known.get("weight", 0.0)), float(known.get("probability", 1.0))
        row = PairRow(low, high, weight, probability, tuple(known.get("comparisons", ())))
        rows.append((worth(probability, 2, held=True), row, "failed"))
    for block in batched(rows, 2_000):
        write_open(run, block)


def _open(run: Run) -> int:
    return Candidate.objects.filter(run=run, verdict__in=(Verdict.PENDING, Verdict.REVIEW)).count()


@dataclass(slots=True)
class _Tally:
    records: int = 0
    pairs: int = 0
    merged: int = 0
    review: int = 0


def _incremental(run: Run, actor: Actor, progress: Progress, last: Run) -> None:
    run.until = now() - _LATE
    model = online.current()
    run.model_id, run.merge_threshold, run.review_threshold = model.number, model.merge, model.review
    changed = list(
        Contact.objects.filter(updated_at__gt=last.until).order_by("updated_at", "pk").values_list("pk", flat=True)
    )
    for block in batched(changed, 1_000):
        online.write_profiles(list(some(block).values()))
    tally = _Tally(records=len(changed))
    for done, contact_id in enumerate(changed):
        progress(done, len(changed), "matching")
        _resolve_one(run, actor, contact_id, model, tally)
    run.counts = {"records": tally.records, "pairs": tally.pairs, "merged": tally.merged, "review": tally.review}


def resolve_one(*, actor: Actor, contact_id: int) -> int:
    """A new or changed contact, now: merged with whom it certainly is. Returns the id of the contact it is then."""
    actor.require(Permission.CONTACT_MERGE)
    model = online.current()
    run = Run.objects.exclude(model=None).order_by("-id").first() or Run(kind=Run.Kind.INCREMENTAL)
    found = _resolve_one(run, actor, contact_id, model, _Tally())
    return found if found != contact_id else current_ids([contact_id]).get(contact_id, contact_id)


def _resolve_one(run: Run, actor: Actor, contact_id: int, model: online.Current, tally: _Tally) -> int:
    """Returns the contact it is then."""
    matches, people = online.look_up(contact_id, model)
    tally.pairs += len(matches)
    if not matches:
        return contact_id
    concerned = {number: people[number] for number in (contact_id, *(match.contact_id for match in matches))}
    guards = guards_for(concerned, model)
    mine, joined = contact_id, [contact_id]
    for match in matches:
        low, high = sorted((contact_id, match.contact_id))
        why = held_back(guards, contact_id, match.contact_id)
        # Two who may each be this person need not be one person themselves.
        why = why or next((found for one in joined if (found := guards.conflict(one, match.contact_id))), "")
        if why == "apart":
            continue
        if not why and match.score.probability >= model.merge:
            evidence = {
                "probability": round(match.score.probability, 6),
                "weight": round(match.score.weight, 3),
                "comparisons": [finding.dump() for finding in match.score.findings],
            }
            survivor, loser = sorted((mine, match.contact_id))
            if merged(actor, Wanted(survivor, loser, evidence)):
                mine = survivor
                joined.append(match.contact_id)
                tally.merged += 1
            continue
        if mine != contact_id:
            continue  # asked about the one it is now by the next run
        findings = tuple(finding.dump() for finding in match.score.findings)
        row = PairRow(low, high, match.score.weight, match.score.probability, findings)
        held = why if match.score.probability >= model.merge or why == "customer_number" else ""
        if run.pk:
            write_open(run, [(worth(row.probability, 2, held=bool(held)), row, held)])
        tally.review += 1
    return mine
