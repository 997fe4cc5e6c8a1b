"""What the pages of an audience ask beyond its size, and looking for suggestions, over a million people.

People and facts are those of ``bench.membership`` (half of the people are customers, as in ``bench.standing``), columns
are written first, as a worker does. Composition and worth are asked of the columns as the pages ask them; a look-alike
and the groups among everyone run as their job does, and every precision and reach of a look-alike is counted again here
by plain SQL. Suggestions draw samples: what they read of events does not grow with the number of people.

    python -m bench.insight          SCALE=0.1 for a quick look
"""

import json
from pathlib import Path
from typing import Any, Final

from bench.import_ import MemoryWatch, Taken
from bench.membership_data import CONTACTS, EACH, prepare, write_columns
from bench.outbox_data import installation
from bench.standing import customers

BUDGET_S: Final = 120.0  # for suggestions: somebody waits for them, with a bar to look at
MEMORY_MB: Final = 2_000
TREE: Final[dict[str, Any]] = {"event": "order_completed", "op": ">=", "count": 2, "within_days": 365}


def main() -> None:
    with installation() as folder, MemoryWatch() as memory:
        prepare()
        customers()
        write_columns()
        before = memory.peak
        found = run(folder)
    line = {
        "bench": "insight",
        "value": max(found["look-alikes"][0], found["groups"][0]),
        "unit": "s for the slower of the two suggestions",
        "contacts": CONTACTS,
        "events": CONTACTS * EACH,
        "seconds": {name: seconds for name, (seconds, _) in found.items()},
        "cpu_s": {name: cpu for name, (_, cpu) in found.items()},
        "peak_memory_mb": round(memory.peak / 2**20),
        "peak_before_mb": round(before / 2**20),
        "budget": BUDGET_S,
        "budget_memory_mb": MEMORY_MB,
    }
    print(json.dumps(line, ensure_ascii=False))


def run(folder: Path) -> dict[str, tuple[float, float]]:
    """What → (seconds, CPU seconds)."""
    from hongyan.accounts.types import system_actor
    from hongyan.audience.catalogue import catalogue_now
    from hongyan.audience.insight.composition import FIRST, comparable, profiles
    from hongyan.audience.insight.value import engagement_and_worth
    from hongyan.audience.standing.rfm import rfm_refresh
    from hongyan.core import clock
    from hongyan.events.history.turns import turn

    taken = Taken(folder)
    take = taken.take

    rfm_refresh()
    write_columns()
    actor, catalogue = system_actor("bench"), catalogue_now()
    keys = [key for key in FIRST if key in comparable(catalogue)]

    def compared() -> int:
        told = profiles(actor=actor, tree=TREE, fields=keys, catalogue=catalogue, language="en")
        return sum(len(profile.slices) for profile in told)

    for occasion in ("first", "again"):
        take(f"composition, {occasion}", compared)
        take(
            f"engagement and worth, {occasion}",
            lambda: engagement_and_worth(actor=actor, tree=TREE, catalogue=catalogue)[1].here.orders,
        )
        while (done := turn(lag_s=0.0)) is not None and done.more:  # a question may have asked for a column
            pass
    take("look-alikes", lambda: _alike(catalogue, clock.now()))
    take("groups", lambda: _groups(catalogue, clock.now()))
    return taken.found


def _quiet(_done: int) -> None:
    """Nobody looks."""


def _alike(catalogue: Any, now: Any) -> str:
    from hongyan.audience.segments import checked
    from hongyan.audience.suggest.lookalike import look_alikes

    node = checked(TREE, catalogue=catalogue)
    found = look_alikes(TREE, left_out=[node], catalogue=catalogue, now=now, progress=_quiet)
    for item in found.suggestions:
        if (item.size, item.hits) != _counted(item.tree, catalogue, now):
            raise SystemExit("precision and reach are not those of everybody")
    return ", ".join(f"{item.precision:.3f}/{item.recall:.3f}" for item in found.suggestions)


def _counted(tree: Any, catalogue: Any, now: Any) -> tuple[int, int]:
    """People the rule means, and of them those of the group, by SQL over the rows themselves."""
    from hongyan.audience.segments import compile_members
    from hongyan.audience.selectors import count_sql

    both = {"all": [tree, TREE]}
    every, hits = (count_sql(compile_members(one, catalogue=catalogue, now=now)) for one in (tree, both))
    return every, hits


def _groups(catalogue: Any, now: Any) -> str:
    from hongyan.audience.suggest.clusters import clusters

    found = clusters({"everyone": True}, catalogue=catalogue, now=now, progress=_quiet)
    return ", ".join(f"{item.precision:.3f}/{item.recall:.3f}" for item in found.suggestions)


if __name__ == "__main__":
    main()
