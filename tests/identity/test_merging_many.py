"""Many merges in one transaction are what they would be one by one, and each is undone by itself."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hongyan.contacts import merging as rooms
from hongyan.contacts.models import Contact
from hongyan.contacts.models_merging import MergedAway
from hongyan.core import clock
from hongyan.events.models import Event
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from hongyan.identity import applying
from hongyan.identity.applying import Applied, Progress, merge_groups, quiet
from hongyan.identity.asking import park
from hongyan.identity.joining import Wanted
from hongyan.identity.merging import follow, merge, merge_many, unmerge
from hongyan.identity.models import Candidate, Run
from hongyan.identity.models_merging import Merge
from hongyan.identity.types import MergeReason
from hongyan.identity.words import guard
from tests.identity.lives import PHASES, made_of, record
from tests.identity.people import ACTOR, START, dump, example, person

Groups = list[list[Wanted]]


def _groups(people: Sequence[Contact], sizes: Sequence[int]) -> Groups:
    """The first of each group stays."""
    groups, rest = [], list(people)
    for size in sizes:
        first, *others = (rest.pop(0) for _ in range(size))
        groups.append([Wanted(first.pk, other.pk, {"n": other.pk}) for other in others])
    return groups


def _tangle(people: Sequence[Contact], chance: random.Random) -> None:
    """Open and answered questions between them, also across groups."""
    for place, one in enumerate(people):
        for other in people[place + 1 :]:
            if chance.random() < 0.5:
                verdict = chance.choice([Candidate.Verdict.PENDING, Candidate.Verdict.REVIEW, Candidate.Verdict.APART])
                Candidate.objects.create(
                    contact_low=one.pk, contact_high=other.pk, probability=0.5, weight=0, verdict=verdict
                )


def _questions() -> list[tuple[Any, ...]]:
    return list(Candidate.objects.order_by("pk").values_list("pk", "contact_low", "contact_high", "verdict"))


class _Back(Exception):
    """To the point before."""


def _seen_after(act: Callable[[], object]) -> dict[str, Any]:
    """What the tables hold after the act, which is then rolled back."""
    try:
        with transaction.atomic():
            act()
            seen = dump()
            for row in seen["contacts_mergedaway"]:
                del row["id"]
            seen["questions"] = _questions()
            raise _Back
    except _Back:
        return seen


@settings(max_examples=6, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=st.lists(record, min_size=5, max_size=5), seed=st.integers(0, 99))
def test_a_batch_comes_to_the_same_as_one_by_one(world: dict[str, Any], facts: list[Any], seed: int) -> None:
    with example(), clock.freeze(clock.now()):
        people = [made_of(world, number, known) for number, known in enumerate(facts, start=1)]
        _tangle(people, random.Random(seed))
        groups = _groups(people, (3, 2))
        in_turn = [groups[0][0], groups[1][0], groups[0][1]]

        def one_by_one() -> None:
            for pair in in_turn:
                merge(
                    actor=ACTOR,
                    survivor_id=pair.survivor_id,
                    loser_id=pair.loser_id,
                    reason=MergeReason.MATCHED,
                    evidence=pair.evidence,
                )

        together = _seen_after(lambda: merge_many(actor=ACTOR, groups=groups, reason=MergeReason.MATCHED))
        apart = _seen_after(one_by_one)
        for table, rows in apart.items():
            assert together[table] == rows, table


@settings(max_examples=6, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=st.lists(record, min_size=5, max_size=5), seed=st.integers(0, 99))
def test_each_merge_of_a_batch_is_undone_exactly(world: dict[str, Any], facts: list[Any], seed: int) -> None:
    with example():
        chance = random.Random(seed)
        people = [made_of(world, number, known) for number, known in enumerate(facts, start=1)]
        before = dump()
        groups = _groups(people, (3, 2))
        assert merge_many(actor=ACTOR, groups=groups, reason=MergeReason.MATCHED) == 3
        assert Contact.objects.count() == 2
        of_first, of_second = (
            list(Merge.objects.filter(survivor_id=group[0].survivor_id).order_by("-pk")) for group in groups
        )
        while of_first or of_second:  # of one person newest first; of two people in any order
            whose = chance.choice([merges for merges in (of_first, of_second) if merges])
            unmerge(actor=ACTOR, merge_id=whose.pop(0).pk)
        after = dump()
        for table, rows in before.items():
            assert after[table] == rows, table


def _five() -> list[Contact]:
    return [person(full_name="王小明", email=f"p{number}@example.com", city="上海") for number in range(5)]


def _give_nothing_back(loser_id: int, survivor_id: int, data: dict[str, Any]) -> None:
    del loser_id, survivor_id, data


def _apply(people: Sequence[Contact], sizes: Sequence[int], progress: Progress = quiet) -> Applied:
    groups = [[pair[0].survivor_id, *(one.loser_id for one in pair)] for pair in _groups(people, sizes)]
    return merge_groups(actor=ACTOR, run="", groups=groups, evidence={}, progress=progress)


@pytest.mark.django_db
def test_one_who_cannot_be_merged_does_not_keep_the_others_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    people = [*_five(), person(full_name="李雷", email="l@example.com")]
    bad = people[3].pk

    def refuse(loser_id: int, survivor_id: int) -> dict[str, Any]:
        del survivor_id
        if loser_id == bad:
            raise ValueError("a@example.com")
        return {}

    monkeypatch.setattr(rooms, "_movers", dict(rooms._movers))
    rooms.register_mover("zz", refuse, _give_nothing_back)
    applied = _apply(people, (2, 2, 2))
    assert (applied.merged, applied.failed) == (2, [(people[2].pk, bad)])
    assert applied.counts() == {"merged": 2, "failed": 1, "why": {"ValueError": 1}}
    assert Contact.objects.filter(pk__in=[people[2].pk, bad]).count() == 2
    run = Run.objects.create(kind=Run.Kind.FULL)
    park(run, applied.failed, {})
    waits = Candidate.objects.get()
    assert (waits.verdict, waits.reason) == (Candidate.Verdict.REVIEW, "failed")
    assert guard("failed") != guard("unheard of")


@pytest.mark.django_db
def test_who_was_erased_or_merged_meanwhile_is_left_out() -> None:
    people = _five()
    merge(actor=ACTOR, survivor_id=people[4].pk, loser_id=people[1].pk, reason=MergeReason.MANUAL)
    groups = _groups(people[:4], (2, 2))
    assert merge_many(actor=ACTOR, groups=groups, reason=MergeReason.MATCHED) == 1
    assert set(MergedAway.objects.values_list("contact_id", "into_id")) == {
        (people[1].pk, people[4].pk),
        (people[3].pk, people[2].pk),
    }


@pytest.mark.django_db
def test_a_run_stopped_between_batches_loses_and_repeats_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "BATCH", 1)
    people = _five()

    def stop(done: int, total: int | None, step: str) -> None:
        del total, step
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _apply(people, (3, 2), stop)
    assert list(Merge.objects.order_by("pk").values_list("survivor_id", "loser_id")) == [
        (people[0].pk, people[1].pk),
        (people[0].pk, people[2].pk),
    ]
    seen: list[tuple[int, int | None]] = []

    def see(done: int, total: int | None, step: str) -> None:
        assert step == "merging"
        seen.append((done, total))

    applied = _apply(people, (3, 2), see)
    assert applied.merged == 1
    assert seen == [(0, 3), (2, 3), (3, 3)]
    assert Merge.objects.count() == Event.objects.filter(name="contact_merged").count() == 3
    assert set(Contact.objects.values_list("pk", flat=True)) == {people[0].pk, people[3].pk}


@pytest.mark.django_db
def test_what_dies_within_a_batch_leaves_all_of_it_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    people = _five()
    before = dump()

    def die(loser_id: int, survivor_id: int) -> dict[str, Any]:
        del survivor_id
        if loser_id == people[4].pk:
            raise KeyboardInterrupt
        return {}

    monkeypatch.setattr(rooms, "_movers", dict(rooms._movers))
    rooms.register_mover("zz", die, _give_nothing_back)
    with pytest.raises(KeyboardInterrupt):
        _apply(people, (3, 2))
    assert not Merge.objects.exists()
    after = dump()
    for table, rows in before.items():
        assert after[table] == rows, table


@pytest.mark.django_db
def test_late_rows_of_several_merges_are_gathered_at_once() -> None:
    people = _five()
    _apply(people, (3, 2))
    merges = list(Merge.objects.order_by("pk"))
    assert follow(merges) == 0
    append([NewEvent(people[number].pk, "email_sent", START, "delivery") for number in (1, 2, 4)])
    assert follow(merges) == 3
    assert follow(merges) == 0
    whose = Event.objects.filter(name="email_sent").order_by("contact_id").values_list("contact_id", flat=True)
    assert list(whose) == [people[0].pk, people[0].pk, people[3].pk]
    for made in reversed(merges):
        unmerge(actor=ACTOR, merge_id=made.pk)
    whose = Event.objects.filter(name="email_sent").order_by("contact_id").values_list("contact_id", flat=True)
    assert list(whose) == [people[number].pk for number in (1, 2, 4)]
