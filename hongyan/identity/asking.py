"""Pairs that wait for a person: how much an answer is worth, and writing them down."""

import math
from collections.abc import Iterable
from typing import Final

import orjson
from django.db import connection

from hongyan.core.batching import batched
from hongyan.core.ids import uuid7
from hongyan.core.sql import numbers, statement
from hongyan.identity.applying import Evidence
from hongyan.identity.matching.resolve import PairRow
from hongyan.identity.models import Candidate, Run

MAX_OPEN: Final = 200_000  # pairs that one run writes down, the most valuable first
_BLOCK: Final = 2_000
Waiting = tuple[float, PairRow, str]  # what an answer is worth, the pair, which guard held it back


def worth(probability: float, records: int, *, held: bool) -> float:
    """How much a person's answer is worth: most where the machine knows least, and where much hangs on it.

    records: that would become one contact. held: the weights were for it, but a guard was against.
    """
    p = min(max(probability, 1e-9), 1 - 1e-9)
    doubt = -(p * math.log2(p) + (1 - p) * math.log2(1 - p))
    return round((max(doubt, 0.75) if held else doubt) * math.log2(records), 4)


def write_open(run: Run, waiting: Iterable[Waiting]) -> None:
    """Each pair once."""
    for block in batched(waiting, _BLOCK):
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
                    "verdicts": [_verdict(why) for _, _, why in block],
                    "values": [value for value, _, _ in block],
                    "reasons": [why for _, _, why in block],
                },
            )


def _verdict(why: str) -> str:
    return str(Candidate.Verdict.REVIEW if why else Candidate.Verdict.PENDING)


def park(run: Run, failed: Iterable[tuple[int, int]], evidence: Evidence) -> None:
    """What could not be merged waits for a person, with the reason that it failed."""
    rows = []
    for survivor, loser in failed:
        low, high = sorted((survivor, loser))
        known = evidence.get((low, high), {})
        weight, probability = float(known.get("weight", 0.0)), float(known.get("probability", 1.0))
        row = PairRow(low, high, weight, probability, tuple(known.get("comparisons", ())))
        rows.append((worth(probability, 2, held=True), row, "failed"))
    write_open(run, rows)


def count_open(run: Run) -> int:
    return Candidate.objects.filter(run=run, verdict__in=(Candidate.Verdict.PENDING, Candidate.Verdict.REVIEW)).count()
