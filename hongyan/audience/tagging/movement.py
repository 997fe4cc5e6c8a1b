"""How many contacts come to hold tags and lose them, day by day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.standing.versions import day_of
from hongyan.core import clock
from hongyan.core.sql import statement


@dataclass(frozen=True, slots=True)
class TagMovement:
    """Day by day, oldest first; sizes: at the end of each day."""

    days: Sequence[date]
    added: Sequence[int]
    removed: Sequence[int]
    sizes: Sequence[int]

    @property
    def came(self) -> int:
        return sum(self.added)

    @property
    def went(self) -> int:
        return sum(self.removed)

    @property
    def net(self) -> int:
        return self.came - self.went


def movements(*, actor: Actor, sizes: Mapping[int, int], days: int = 30) -> dict[int, TagMovement]:
    """By tag, for the tags of ``sizes`` (tag id → holders now); one question for all."""
    actor.require(Permission.CONTACT_VIEW)
    today = day_of(clock.now())
    first = today - timedelta(days=days - 1)
    found: dict[int, dict[date, tuple[int, int]]] = {}
    for tag_id, day, added, removed in _run("flows", since=first):
        found.setdefault(tag_id, {})[day] = (added, removed)
    line = [first + timedelta(days=number) for number in range(days)]
    return {tag_id: _movement(line, found.get(tag_id, {}), size) for tag_id, size in sizes.items()}


def _movement(line: Sequence[date], moves: Mapping[date, tuple[int, int]], size: int) -> TagMovement:
    """Sizes are counted back from the present one."""
    added = [moves.get(day, (0, 0))[0] for day in line]
    removed = [moves.get(day, (0, 0))[1] for day in line]
    sizes = [size]
    for came, went in zip(reversed(added[1:]), reversed(removed[1:]), strict=True):
        sizes.append(max(sizes[-1] - came + went, 0))
    return TagMovement(line, added, removed, sizes[::-1])


def tag_flows_fold() -> None:
    """Statement by statement into days; one transaction, so a count is never there twice or not at all."""
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.audience", "rules.sql", "fold_flows"), {"zone": settings.HONGYAN_TIME_ZONE})


def _run(name: str, **params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.audience", "rules.sql", name), {**params, "zone": settings.HONGYAN_TIME_ZONE})
        return list(cursor.fetchall())
