"""The load of ``bench.membership``: visitors who do things at a given rate, and how long each waits to be counted."""

import os
import random
import sys
import time
from datetime import datetime

from bench.membership_data import CATEGORIES, CONTACTS, NAMES

RATE = int(os.environ.get("RATE", "1000"))
SECONDS = int(os.environ.get("SECONDS", "60"))
WRITE_EVERY_S = 0.05


class Visitors:
    """Who does something next: mostly somebody who is there already, sometimes the next one."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._there = [dice.randint(1, CONTACTS) for _ in range(500)]

    def next(self) -> int:
        place = self._dice.randrange(len(self._there))
        if self._dice.random() < 0.15:
            self._there[place] = self._dice.randint(1, CONTACTS)
        return self._there[place]


def drive() -> tuple[list[float], float]:
    """Write at the rate; for each transaction note when it was committed, and when the lane had passed it."""
    from django.db import connection

    from hongyan.events.models import ReaderCursor
    from hongyan.events.services import append
    from hongyan.events.types import NewEvent

    dice = random.Random(3)
    names, weights, visitors = list(NAMES), list(NAMES.values()), Visitors(dice)
    waiting: list[tuple[int, float]] = []  # (transaction, committed)
    delays: list[float] = []
    written = 0
    began = time.perf_counter()

    def look() -> None:
        """Transactions are passed in their order."""
        at = ReaderCursor.objects.values_list("tx", flat=True).get(name="membership")
        now = time.perf_counter()
        while waiting and waiting[0][0] <= at:
            delays.append(now - waiting.pop(0)[1])

    while time.perf_counter() - began < SECONDS:
        due = int((time.perf_counter() - began) * RATE) - written
        if due >= RATE * WRITE_EVERY_S:
            at = datetime.now().astimezone()
            events = [
                NewEvent(
                    visitors.next(),
                    dice.choices(names, weights)[0],
                    at,
                    "bench",
                    {"category": dice.choice(CATEGORIES), "amount": dice.randint(1, 500)},
                )
                for _ in range(due)
            ]
            with connection.cursor() as cursor:
                cursor.execute("BEGIN")
                append(events)
                cursor.execute("SELECT pg_current_xact_id()::text::bigint")
                tx = int(cursor.fetchone()[0])
                cursor.execute("COMMIT")
            waiting.append((tx, time.perf_counter()))
            written += due
        look()
        time.sleep(0.01)
    rate = written / (time.perf_counter() - began)
    until = time.perf_counter() + 120
    while waiting and time.perf_counter() < until:
        look()
        time.sleep(0.01)
    if waiting:
        sys.exit(f"{len(waiting)} transactions were never passed")
    return delays, rate
