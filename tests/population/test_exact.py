"""The law of the population: files with fresh rows are what PostgreSQL says, after anything in any order."""

import random
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hongyan.audience.compiler.catalogue import Catalogue, FieldType
from hongyan.audience.models import PopulationFile
from hongyan.audience.population import delta
from hongyan.audience.population.manifest import manifest
from hongyan.audience.population.types import NotHeld
from hongyan.audience.population.writer import copy_pass, sweep
from hongyan.audience.segments import compile_members
from hongyan.contacts import touched
from hongyan.contacts.models import Contact
from hongyan.core.dsn import connection_parameters
from tests.population.factory import ACTS, World, asking, now, open_keys, told, truth, whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small_chunks")]
_KEEPING = ["pass", "sweep", "prune", "ask", "ask without activity", "forget"]


def agree(catalogue: Catalogue, *, activity: bool = True) -> None:
    """Of all columns; a number that no decimal holds makes its column unanswerable, and nothing else."""
    keys = [key for key in open_keys(catalogue) if activity or key != "last_activity_at"]
    with asking() as link:
        try:
            taken = whole(link, catalogue, keys)
        except NotHeld as refused:
            # A number that no decimal holds was drawn; any other column must be answered.
            keys = [key for key in keys if f"f:{key}" != str(refused) or key != "custom.points"]
            taken = whole(link, catalogue, keys)
        said, true = told(taken, keys), truth(link, catalogue, keys)
    for name, values in true.items():
        assert said[name] == values, name


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6), steps=st.lists(st.sampled_from(ACTS + _KEEPING * 3), min_size=5, max_size=24))
def test_any_interleaving_of_changes_and_passes_is_exact(seed: int, steps: list[str]) -> None:
    world = _WORLD["world"] if _WORLD else _WORLD.setdefault("world", World())
    catalogue = now()
    world.random = random.Random(seed)
    copy_pass()
    for step in steps:
        match step:
            case "pass":
                copy_pass()
            case "sweep":
                sweep()
            case "prune":
                touched.prune(kept_s=0)
            case "ask":
                agree(catalogue)
            case "ask without activity":
                agree(catalogue, activity=False)
            case "forget":
                delta.forget()
            case _:
                getattr(world, step)()
    agree(catalogue)
    delta.forget()
    agree(catalogue)


_WORLD: dict[str, World] = {}


@pytest.fixture(autouse=True)
def _no_world() -> None:
    _WORLD.clear()


def test_every_value_means_what_the_compiler_means() -> None:
    """Presence and equality of every field, asked of PostgreSQL as an audience and of the copy's columns."""
    world = World()
    for name in ACTS * 4:
        getattr(world, name)()
    for number, contact_id in enumerate(world.ids):
        _odd(contact_id, number)
    copy_pass()
    catalogue = now()
    with asking() as link:
        keys = [key for key in open_keys(catalogue) if key != "custom.points"]
        said = told(whole(link, catalogue, keys), keys)
        for key in keys:
            have = {pk: value for pk, value in said[f"f:{key}"].items() if value is not None}
            assert members(link, {"field": key, "op": "is_set"}) == set(have), key
            spec = catalogue.fields[key]
            if spec.type in {FieldType.TEXT, FieldType.NUMBER, FieldType.BOOLEAN, FieldType.DATE}:
                for value in {*have.values()} - {""}:
                    same = {pk for pk, other in have.items() if other == value}
                    wanted = value if isinstance(value, str | bool) else float(value)
                    assert members(link, {"field": key, "op": "=", "value": wanted}) == same, key
            if spec.type is FieldType.CHOICES:
                for choice in spec.choices:
                    same = {pk for pk, values in have.items() if choice.value in values}
                    assert members(link, {"field": key, "op": "contains", "value": choice.value}) == same, key
        for name, key in (("full_name", "full_name"),):
            filled = {pk for pk, values in said["filled"].items() if values and name in values}
            assert members(link, {"field": key, "op": "is_set"}) == filled


def _odd(contact_id: int, number: int) -> None:
    from tests.population.factory import ODDITIES

    values = {key: given[number % len(given)] for key, given in ODDITIES.items()}
    Contact.objects.filter(pk=contact_id).update(attributes=values)


def members(link: Any, tree: dict[str, Any]) -> set[int]:
    statement = compile_members(tree)
    with link.cursor() as cursor:
        cursor.execute(statement.text, statement.params)
        return {row[0] for row in cursor.fetchall()}


def test_a_slow_writer_across_a_pass_is_seen_when_it_commits() -> None:
    world, catalogue = World(), now()
    copy_pass()
    with psycopg.connect(**connection_parameters()) as slow:
        slow.execute("UPDATE contacts_contact SET city = 'slow' WHERE id = %s", [world.ids[0]])
        world.city()
        copy_pass()
        world.tag()
        copy_pass()
        agree(catalogue)
        slow.commit()
    agree(catalogue)
    copy_pass()
    agree(catalogue)
    with asking() as link:
        assert len(whole(link, catalogue).stale) == 0


def test_a_question_with_an_older_view_stays_in_it() -> None:
    """It began before changes and passes; its files are retired meanwhile, and what the process remembers is newer."""
    world, catalogue = World(), now()
    copy_pass()
    keys = open_keys(catalogue)
    with asking(other=True) as old:
        before = truth(old, catalogue, keys)
        for _ in range(3):
            world.everybody()
            world.erase()
            world.create()
            copy_pass()
            sweep()
            touched.prune()
            agree(catalogue)
        assert told(whole(old, catalogue), keys) == before


def test_an_older_view_is_not_told_what_the_process_remembers() -> None:
    """It was taken while somebody wrote; nothing tells the two views apart but who was still writing."""
    world, catalogue = World(), now()
    copy_pass()
    keys = open_keys(catalogue)
    with psycopg.connect(**connection_parameters()) as slow, asking(other=True) as old:
        slow.execute("UPDATE contacts_contact SET city = 'slow' WHERE id = %s", [world.ids[0]])
        Contact.objects.filter(pk=world.ids[1]).update(city="swift")  # a later transaction that is done
        before = truth(old, catalogue, keys)
        slow.commit()
        agree(catalogue)
        assert told(whole(old, catalogue), keys) == before


def test_a_question_sees_what_its_own_transaction_wrote() -> None:
    world, catalogue = World(), now()
    copy_pass()
    keys = open_keys(catalogue)
    with asking(other=True) as link:
        link.execute("UPDATE contacts_contact SET city = 'mine' WHERE id = %s", [world.ids[0]])
        assert told(whole(link, catalogue), keys)["f:city"][world.ids[0]] == "mine"
        link.rollback()
    agree(catalogue)


def test_only_chunks_with_changes_are_written_again() -> None:
    world, catalogue = World(), now()
    copy_pass()
    before = dict(PopulationFile.objects.filter(retired_at=None, type_id=None).values_list("chunk", "path"))
    assert len(before) > 2
    world.random = random.Random(1)
    touched_one = world.ids[0]

    Contact.objects.filter(pk=touched_one).update(city="new")
    assert copy_pass().chunks == 1
    after = dict(PopulationFile.objects.filter(retired_at=None, type_id=None).values_list("chunk", "path"))
    assert {chunk for chunk in before if before[chunk] != after[chunk]} == {touched_one >> 2}
    assert copy_pass().chunks == 0
    with asking() as link:
        found = manifest(link)
        assert found is not None
        assert len({entry.tx for entry in found.people.values()}) == 1  # the clean ones moved on as well
    agree(catalogue)
