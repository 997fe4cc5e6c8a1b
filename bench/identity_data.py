"""Records of people, some of them twice, for the benchmarks of matching."""

import random
from collections.abc import Callable, Iterator
from typing import Any

SEED = 11
_PARTS = (
    "ash beck brad bur car clay cole crad den dun east fair far fen gar glen gran hal har hart hol kirk lang lin mar "
    "mil nor oak pem ridge"
)
_ENDS = "by don field ford ham holm ley low man mer ris rose sley son stead ston ton wick wood worth well"


def records(wanted: int) -> tuple[list[int], list[Any]]:
    """Four of five people Chinese; 15 % of the records are a further one of somebody."""
    from hongyan.identity.truth import generated

    chinese = generated(int(wanted * 0.46), duplicates=0.15)[: int(wanted * 0.8)]
    western = list(_western(wanted - len(chinese)))
    rows = [(row.person, row.record) for row in chinese] + [(10**9 + who, record) for who, record in western]
    random.Random(SEED).shuffle(rows)
    return [who for who, _ in rows], [record for _, record in rows]


def _western(wanted: int) -> Iterator[tuple[int, Any]]:
    from dataclasses import replace

    from hongyan.identity.matching.nicknames import ROOTS
    from hongyan.identity.matching.record import Record

    rnd = random.Random(SEED)
    names = sorted({root for roots in ROOTS.values() for root in roots})
    parts, ends = _PARTS.split(), _ENDS.split()
    cities = [rnd.choice(parts) + rnd.choice(ends) for _ in range(400)]
    said: Callable[[], bool] = lambda: rnd.random() < 0.7  # noqa: E731
    person = 0
    taken: set[str] = set()  # a provider gives each address out once

    def address(given: str, family: str) -> str:
        while True:
            host = rnd.choice(("gmail.com", "outlook.com", "yahoo.com"))
            found = f"{given}.{family}{rnd.randrange(100)}@{host}"
            if found not in taken:
                taken.add(found)
                return found

    while person < wanted:
        given, family = rnd.choice(names), rnd.choice(parts) + rnd.choice(ends)
        record = Record(
            given_name=given.title(),
            family_name=family.title(),
            email=address(given, family) if said() else "",
            phone=f"+4479{rnd.randrange(10**8):08}" if said() else "",
            street=f"{rnd.randrange(1, 300)} {rnd.choice(parts)}{rnd.choice(ends)} street" if said() else "",
            city=rnd.choice(cities) if said() else "",
            birth_date=f"{rnd.randrange(1940, 2006)}-{rnd.randrange(1, 13):02}-{rnd.randrange(1, 29):02}"
            if said()
            else "",
            country="GB",
        )
        yield person, record
        if rnd.random() < 0.18:
            nicknames = [name for name, roots in ROOTS.items() if given in roots]
            at = rnd.randrange(len(family))
            yield (
                person,
                replace(
                    record,
                    given_name=rnd.choice(nicknames).title() if rnd.random() < 0.3 else record.given_name,
                    family_name=(family[:at] + family[at + 1 :]).title() if rnd.random() < 0.3 else record.family_name,
                    email=record.email if rnd.random() < 0.6 else "",
                    street=record.street if rnd.random() < 0.7 else "",
                ),
            )
            wanted -= 1
        person += 1
