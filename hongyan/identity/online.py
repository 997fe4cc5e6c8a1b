"""One record at a time: which contacts may be the same person as this one. Blocking keys are kept in a table as keyed
tokens, so that an index finds the few candidates; they are scored with the weights of the newest model, in Python."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.db import connection

from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import numbers, statement
from hongyan.identity.matching.comparisons import BY_NAME
from hongyan.identity.matching.features import Features
from hongyan.identity.matching.scoring import Frequency, Score, score
from hongyan.identity.matching.weights import Weights, prior
from hongyan.identity.models import Model
from hongyan.identity.people import Person, some

LIMIT: Final = 60  # records scored; those with the rarest keys in common come first
# Contacts looked at of those that share one key: what more have in common tells nobody apart, and a full run, which
# sees keys together, finds what hides among them.
BLOCK: Final = 200
_PHONE_TAIL = 8


@dataclass(frozen=True, slots=True)
class Match:
    contact_id: int
    score: Score


@dataclass(frozen=True, slots=True)
class Found:
    """people: the contact with all that were looked at, by contact id. frequency: of their values."""

    matches: list[Match]
    people: Mapping[int, Person]
    frequency: Frequency


@dataclass(frozen=True, slots=True)
class Current:
    """The newest model; the shipped weights before the first run. number: None: shipped."""

    number: int | None
    weights: Weights
    merge: float
    review: float


def current() -> Current:
    newest = Model.objects.order_by("-version").values_list("pk", flat=True).first()
    if newest is None:
        return Current(None, prior(dict.fromkeys(_EVERYTHING, 1.0), 10_000), 0.95, 0.10)
    return _model(newest)


@lru_cache(maxsize=4)
def _model(number: int) -> Current:
    """A model never changes."""
    newest = Model.objects.get(pk=number)
    return Current(newest.pk, Weights.load(newest.weights), newest.merge_threshold, newest.review_threshold)


_EVERYTHING = frozenset(column for comparison in BY_NAME.values() for column in comparison.needs)


def candidates(contact_id: int, *, model: Current | None = None) -> list[Match]:
    """Contacts that may be the same person, likeliest first, from the review threshold. Also keeps the contact's own
    tokens up to date. System use."""
    me = some([contact_id]).get(contact_id)
    if me is None:
        return []
    write_profile(me)
    return look_up(me, model or current()).matches


def look_up(me: Person, model: Current) -> Found:
    """Reads only."""
    others = some(_sharing(me.contact_id, tokens(me.features)))
    scored, frequency = scores(me.features, {number: other.features for number, other in others.items()}, model)
    found = [Match(number, item) for number, item in scored.items()]
    found.sort(key=lambda match: (-match.score.weight, match.contact_id))
    return Found(found, {me.contact_id: me, **others}, frequency)


def _sharing(contact_id: int, mine: Sequence[int]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.identity", "matching.sql", "sharing"),
            {"tokens": numbers(mine), "me": contact_id, "block": BLOCK, "limit": LIMIT},
        )
        return [row[0] for row in cursor.fetchall()]


def write_profiles(people: Sequence[Person]) -> None:
    """Tokens of contacts that changed since theirs were made."""
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.identity", "matching.sql", "known_profiles"),
            {"ids": numbers(person.contact_id for person in people)},
        )
        known = dict(cursor.fetchall())
    fresh = [person for person in people if known.get(person.contact_id) != person.updated_at]
    if fresh:
        _write(fresh, [tokens(person.features) for person in fresh])


def write_profile(me: Person) -> None:
    _write([me], [tokens(me.features)])


def _write(people: Sequence[Person], theirs: Sequence[Sequence[int]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.identity", "matching.sql", "write_profiles"),
            {
                "ids": numbers(person.contact_id for person in people),
                "tokens": [numbers(mine) for mine in theirs],
                "ats": [person.updated_at for person in people],
            },
        )


def tokens(row: Features) -> list[int]:
    """Keyed, so that the table tells nothing about anybody."""
    token = keyring().blind.token
    return sorted({token(f"identity\x00{name}\x00{value}") for name, value in keys(row)})


def keys(row: Features) -> Iterator[tuple[str, str]]:
    """The blocking keys that one record is found by: as ``matching.blocking``, without those that many share."""
    single = {
        "email": row.email,
        "email_user": row.email_user if row.email_user and len(row.email_user) >= 5 else None,
        "phone": row.phone[-_PHONE_TAIL:] if row.phone else None,
        "national_id": row.national_id,
    }
    yield from ((name, value) for name, value in single.items() if value)
    first, family = row.given_first, row.family
    for name, parts in _joint(row, first, family).items():
        if all(parts):
            yield name, "|".join(map(str, parts))


def _joint(row: Features, first: str | None, family: str | None) -> Mapping[str, tuple[str | None, ...]]:
    names = tuple(sorted((first, family))) if first and family else (None,)
    birth = row.birth or ""
    where = row.city or row.postcode
    return {
        "names": names,
        "sound": (row.sound, min(row.readings, default=None)),
        "birth_family": (row.birth, family),
        "birth_given": (row.birth, first),
        "birth_place": (row.birth, where),
        "birth_street": (row.birth, row.street),
        "family_postcode": (family, row.postcode),
        "given_postcode": (first, row.postcode),
        "given_street": (first, row.street),
        "family_street": (family, row.street),
        "address": (row.street, row.house, where),
        "house_postcode": (row.house, row.postcode),
        "year_names": (birth[:4], (first or "")[:3], (family or "")[:3]),
        "day_names": (birth[4:], (first or "")[:2], (family or "")[:2]),
        "prefixes_place": ((first or "")[:2], (family or "")[:3], where),
    }


class Shares:
    """How common values are among the records that the newest model was trained on. Few of the values that two records
    have are asked for: those are fetched together, others one by one."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], float | None] = {}
        self._asked: dict[tuple[str, str], None] = {}

    def rare(self, column: str, value: str) -> None:
        """As if the value were rare, which it will be asked for: so a pair weighs at least what it really does."""
        self._asked[column, value] = None

    def __call__(self, column: str, value: str) -> float | None:
        if (column, value) not in self._known:
            self._asked[column, value] = None
            self.fetch()
        return self._known[column, value]

    def fetch(self) -> None:
        token = keyring().blind.token
        wanted = {asked: token(frequency_word(*asked)) for asked in self._asked if asked not in self._known}
        self._asked.clear()
        if not wanted:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                statement("hongyan.identity", "matching.sql", "frequencies"), {"tokens": numbers(wanted.values())}
            )
            found = {(column, number): share for column, number, share in cursor.fetchall()}
        self._known.update({asked: found.get((asked[0], number)) for asked, number in wanted.items()})


def scores(me: Features, others: Mapping[int, Features], model: Current) -> tuple[dict[int, Score], Shares]:
    """Of those that reach the threshold of the review, by number."""
    shares = Shares()
    likely = [
        number
        for number, other in others.items()
        if score(me, other, model.weights, shares.rare).probability >= model.review
    ]
    shares.fetch()
    found = {number: score(me, others[number], model.weights, shares) for number in likely}
    return {number: item for number, item in found.items() if item.probability >= model.review}, shares


def frequency_word(column: str, value: str) -> str:
    return f"frequency\x00{column}\x00{value}"
