"""The guards for a few contacts, from what the tables know."""

from collections.abc import Mapping

from hongyan.core.sql import any_of
from hongyan.identity import online
from hongyan.identity.matching.guards import Guards, doubtless
from hongyan.identity.matching.scoring import Frequency, score
from hongyan.identity.models import Candidate
from hongyan.identity.people import Person


def guards_for(people: Mapping[int, Person], model: online.Current, frequency: Frequency) -> Guards:
    """people: by contact id. frequency: of their values. Reads whom a person called two people, and what the last full
    run saw of homes."""
    pairs = set(
        Candidate.objects.filter(verdict=Candidate.Verdict.APART)
        .filter(contact_low__in=any_of(people), contact_high__in=any_of(people))
        .values_list("contact_low", "contact_high")
    )
    shared = bool(model.weights.notes.get("shared_homes", True))

    def beyond_doubt(low: int, high: int) -> bool:
        a, b = people[low].features, people[high].features
        return doubtless(score(a, b, model.weights, frequency).weight)

    return Guards(lambda low, high: (low, high) in pairs, lambda number: people[number].features, shared, beyond_doubt)


def held_back(guards: Guards, one: int, other: int, probability: float) -> str:
    """Why the two are not merged without asking, however likely they are one person; "": nothing is against it."""
    return guards.conflict(one, other) or ("only_name" if guards.only_name(one, other, probability) else "")
