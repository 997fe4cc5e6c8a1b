"""What speaks against a merge although the weights are for it: weights take comparisons for independent, and people
who live together share a surname, an address and a telephone at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hongyan.identity.matching.comparisons import (
    BIRTH,
    BIRTH_PLACE,
    EMAIL,
    GIVEN,
    MIDDLE,
    NATIONAL_ID,
    PHONE,
    PLACE,
    SEX,
    STREET,
)
from hongyan.identity.matching.conditions import same, typos
from hongyan.identity.matching.features import Features

AGAINST = -3.0  # mean weight across two groups below which they stay apart; see docs/identity.md
SURE = 0.95  # probability from which namesakes of one city are merged although something else differs
FEW, DISAGREE = 20, 0.15
NUMBERS = (
    30.0  # weight: more than a rare name and one more thing can bring, since two of anything are seldom independent
)

_GIVEN_ALIKE = [level.when for level in GIVEN.levels[:-1]]
# Han are few and short: names of two people of one family are often as like in their pinyin as two spellings of one.
_HAN_ALIKE = [level.when for level in GIVEN.levels if level.name not in {"similar", "different"}]
# Nobody who writes Han is a letter off, or takes half a name for the other half: 宁 and 静 are two names, while ning
# and jing may be one that was mistyped.
_BOTH_HAN_ALIKE = [
    level.when for level in GIVEN.levels if level.name not in {"one_typo", "similar", "half_swapped", "different"}
]
# What namesakes seldom share. Sex and region they do.
_BEYOND_NAME = [
    level.when
    for comparison, levels in (
        (MIDDLE, 1), (BIRTH, 5), (EMAIL, 4), (PHONE, 3), (STREET, 4), (PLACE, 2), (BIRTH_PLACE, 2), (NATIONAL_ID, 3)
    )
    for level in comparison.levels[:levels]
]  # fmt: skip
_DIFFERS = [
    (comparison.unknown, [level.when for level in comparison.levels[:-1]]) for comparison in (PHONE, SEX, STREET)
]
_CODE = same("postcode")
_CITY = same("city")
_BIRTH_ALIKE = [level.when for level in BIRTH.levels[:5]]
_NATIONAL_ID = typos("national_id", 2)
_OWN = same("email") | typos("email", 1) | same("national_id") | typos("national_id", 1)


def never(_low: int, _high: int) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Guards:
    """apart: pairs that a person said are two. shared_homes: whether an address may be that of several people.
    beyond_doubt: pairs that are one person whatever their numbers say (``doubtless``)."""

    apart: Callable[[int, int], bool]
    features: Callable[[int], Features]
    shared_homes: bool
    beyond_doubt: Callable[[int, int], bool] = never

    def conflict(self, low: int, high: int) -> str | None:
        """apart | customer_number | national_id | household; None: nothing speaks against it."""
        if self.apart(min(low, high), max(low, high)):
            return "apart"
        a, b = self.features(low), self.features(high)
        if numbers_differ(a.numbers, b.numbers) and not self.beyond_doubt(low, high):
            return "customer_number"
        if not self.shared_homes or not given_differs(a, b) or _OWN.test(a, b):
            return None
        if a.national_id and b.national_id and not _NATIONAL_ID.test(a, b):
            return "national_id"  # twins
        return None if births_agree(a, b) and not (han(a) and han(b)) else "household"

    def only_name(self, low: int, high: int, probability: float) -> bool:
        """Nothing but the name is the same, however rare it is, or nothing but the name and the city, while something
        else is not and doubt is left: a person is asked. Namesakes of one city are more than names given independently
        would make. Says nothing of groups: of two records in one, others may tell what these leave out."""
        a, b = self.features(low), self.features(high)
        more = any(when.test(a, b) for when in _BEYOND_NAME) or _CODE.test(a, b)
        more = more or (_CITY.test(a, b) and (probability >= SURE or not something_differs(a, b)))
        return not (more or _OWN.test(a, b))


def doubtless(weight: float) -> bool:
    """Whether a pair is one person although one source holds it for two customers: sources know their customers, but
    people register twice."""
    return weight >= NUMBERS


def numbers_differ(one: Sequence[str], other: Sequence[str]) -> bool:
    r"""Two different customer numbers of one source: for that source they are two customers, and it should know.
    Numbers of different sources say nothing of each other.

    >>> numbers_differ(["shop\x1f1"], ["shop\x1f2"]), numbers_differ(["shop\x1f1"], ["till\x1f2"])
    (True, False)
    """
    if not one or not other:
        return False
    mine, theirs = _by_source(one), _by_source(other)
    return any(mine[source].isdisjoint(theirs[source]) for source in mine.keys() & theirs.keys())


def _by_source(numbers: Sequence[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for entry in numbers:
        source, _, number = entry.partition("\x1f")
        found.setdefault(source, set()).add(number)
    return found


def han(row: Features) -> bool:
    """A Chinese given name, in Han or in pinyin; not the English one that many go by as well."""
    return row.sound is not None


def written_in_han(row: Features) -> bool:
    return row.given_written is not None and not row.given_written.isascii()


def given_differs(a: Features, b: Features) -> bool:
    alike = _GIVEN_ALIKE
    if han(a) and han(b):
        alike = _BOTH_HAN_ALIKE if written_in_han(a) and written_in_han(b) else _HAN_ALIKE
    return a.given is not None and b.given is not None and not any(when.test(a, b) for when in alike)


def something_differs(a: Features, b: Features) -> bool:
    """Telephones, sexes or addresses, and not by a slip."""
    return any(not (unknown.test(a, b) or any(when.test(a, b) for when in alike)) for unknown, alike in _DIFFERS)


def births_agree(a: Features, b: Features) -> bool:
    return a.birth is not None and b.birth is not None and any(when.test(a, b) for when in _BIRTH_ALIKE)


def homes_are_shared(agree: int, disagree: int) -> bool:
    """Whether pairs that match on all but the given name tend to be two people of one household. Their birth dates
    tell: agree, disagree are counts of such pairs. Too few to tell: assume so."""
    known = agree + disagree
    return known < FEW or disagree > DISAGREE * known
