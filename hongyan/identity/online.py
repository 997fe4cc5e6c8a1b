"""One record at a time: which contacts may be the same person as this one. Blocking keys are kept in a table as keyed
tokens, so that an index finds the few candidates; they are scored with the weights of the newest model, in Python."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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

LIMIT: Final = 60  # records scored; those with most keys in common come first
_PHONE_TAIL = 8


@dataclass(frozen=True, slots=True)
class Match:
    contact_id: int
    score: Score


@dataclass(frozen=True, slots=True)
class Current:
    """The newest model; the shipped weights before the first run. number: None: shipped."""

    number: int | None
    weights: Weights
    merge: float
    review: float


def current() -> Current:
    newest = Model.objects.order_by("-version").first()
    if newest is None:
        return Current(None, prior(dict.fromkeys(_EVERYTHING, 1.0), 10_000), 0.95, 0.10)
    return Current(newest.pk, Weights.load(newest.weights), newest.merge_threshold, newest.review_threshold)


_EVERYTHING = frozenset(column for comparison in BY_NAME.values() for column in comparison.needs)


def candidates(contact_id: int, *, model: Current | None = None) -> list[Match]:
    """Contacts that may be the same person, likeliest first, from the review threshold. Also keeps the contact's own
    tokens up to date. System use."""
    me = some([contact_id]).get(contact_id)
    if me is None:
        return []
    model = model or current()
    write_profiles([me])
    others = some(_sharing(me))
    frequency = frequencies({me.features, *(other.features for other in others.values())}, model.weights)
    found = [
        Match(other.contact_id, score(me.features, other.features, model.weights, frequency))
        for other in others.values()
    ]
    found = [match for match in found if match.score.probability >= model.review]
    return sorted(found, key=lambda match: (-match.score.weight, match.contact_id))


def _sharing(me: Person) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.identity", "matching.sql", "sharing"),
            {"tokens": numbers(tokens(me.features)), "me": me.contact_id, "limit": LIMIT},
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
        if not fresh:
            return
        cursor.execute(
            statement("hongyan.identity", "matching.sql", "write_profiles"),
            {
                "ids": numbers(person.contact_id for person in fresh),
                "tokens": [numbers(tokens(person.features)) for person in fresh],
                "ats": [person.updated_at for person in fresh],
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


def frequencies(rows: set[Features], weights: Weights) -> Frequency:
    """How common the values of these records are, in one query."""
    columns = sorted({level.tf for name in weights.levels for level in BY_NAME[name].levels if level.tf})
    token = keyring().blind.token
    wanted = {
        (column, token(frequency_word(column, value)))
        for row in rows
        for column in columns
        if (value := getattr(row, column)) is not None
    }
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.identity", "matching.sql", "frequencies"),
            {"tokens": numbers(number for _, number in wanted)},
        )
        found = {(column, number): share for column, number, share in cursor.fetchall()}
    return lambda column, value: found.get((column, token(frequency_word(column, value))))


def frequency_word(column: str, value: str) -> str:
    return f"frequency\x00{column}\x00{value}"
