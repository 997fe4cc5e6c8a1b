"""Building, columns that come and go, crashes, damage, erasure, and the lane."""

from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from django.db import connection

from hongyan.audience.models import PopulationFile, PopulationState
from hongyan.audience.population import checking, lane
from hongyan.audience.population.delta import joined
from hongyan.audience.population.people import place
from hongyan.audience.population.reading import Read
from hongyan.audience.population.types import Column, ColumnKind, NotHeld
from hongyan.audience.population.writer import copy_pass, sweep
from hongyan.contacts import fields, objects_types
from hongyan.contacts.erasure import contact_erase
from hongyan.contacts.models import Contact, FieldDefinition
from hongyan.events.history.errors import StoreProblem
from hongyan.events.history.store import Store
from tests.population.factory import ACTOR, World, asking, now, told, truth, whole
from tests.population.test_exact import agree

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small_chunks")]


def test_before_the_first_pass_postgresql_has_to_answer() -> None:
    World()
    with asking() as link, pytest.raises(NotHeld):
        whole(link, now())


def test_a_new_field_is_held_after_the_next_pass() -> None:
    world = World()
    copy_pass()
    fields.field_create(actor=ACTOR, key="shoe", label_zh="鞋", label_en="Shoe", type="number")
    Contact.objects.filter(pk=world.ids[0]).update(attributes={"shoe": 42})
    with asking() as link, pytest.raises(NotHeld):
        whole(link, now())
    with asking() as link:
        assert told(whole(link, now(), ["city"]), ["city"])["f:city"]  # the others go on
    assert copy_pass().chunks == PopulationFile.objects.filter(retired_at=None, type_id=None).count()
    agree(now())
    # Another type is another column: what stands under the old one must not be taken for it.
    FieldDefinition.objects.filter(key="shoe").update(type="text")
    with asking() as link, pytest.raises(NotHeld):
        whole(link, now())
    copy_pass()
    agree(now())


def test_a_new_kind_of_objects_is_held_after_the_next_pass() -> None:
    World()
    copy_pass()
    objects_types.object_type_create(
        actor=ACTOR,
        key="car",
        label_zh="车",
        label_en="Car",
        fields=[{"key": "brand", "label_zh": "牌", "label_en": "Brand", "type": "text"}],
    )
    from hongyan.audience.population.snapshot import snapshot

    with asking() as link, pytest.raises(NotHeld):
        snapshot(link, now(), objects={"car": ["brand"]})
    copy_pass()
    with asking() as link:
        assert snapshot(link, now(), objects={"car": ["brand"]}).objects["car"].fresh.num_rows == 0


def test_a_number_beyond_every_decimal_is_left_to_postgresql() -> None:
    world = World()
    copy_pass()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_contact SET attributes = jsonb_build_object('points', 1e40) WHERE id = %s", [world.ids[0]]
        )
    for _ in range(2):
        with asking() as link, pytest.raises(NotHeld):
            whole(link, now(), ["custom.points"])
        with asking() as link:
            whole(link, now(), ["city"])
        copy_pass()
    Contact.objects.filter(pk=world.ids[0]).update(attributes={})
    copy_pass()
    agree(now())


def test_numbers_that_only_together_are_beyond_every_decimal_make_their_column_odd() -> None:
    """One has 38 digits before the point, the other one behind it; DuckDB could not even open the rows."""

    def read(contact_id: int, number: str, digits: int, scale: int) -> Read:
        points = pa.array([Decimal(number)], pa.decimal128(digits, scale))
        rows = pa.table({"contact_id": [contact_id], "points": points, "city": ["上海"]})
        return Read(rows, {"points": Column(ColumnKind.NUMBER, digits, scale), "city": Column(ColumnKind.TEXT)})

    both = joined([read(1, "1e37", 38, 0), read(2, "0.5", 9, 1)])
    assert both.odd == {"points"}
    assert both.rows.select(["contact_id", "city"]).to_pydict() == {"contact_id": [1, 2], "city": ["上海", "上海"]}
    with duckdb.connect() as duck:
        duck.register("fresh", both.rows)
        assert duck.execute("SELECT count(*) FROM fresh").fetchone() == (2,)
    fits = joined([read(1, "7", 9, 0), read(2, "0.5", 9, 1)])
    assert not fits.odd
    assert fits.rows["points"].to_pylist() == [Decimal(7), Decimal("0.5")]


class Broken(Store):
    """A place that fails at the third file."""

    def write(self, path: str, table: pa.Table) -> Any:
        _written.append(path)
        if len(_written) == 3:
            raise StoreProblem("no room left")
        return super().write(path, table)


_written: list[str] = []


def test_a_pass_that_breaks_off_leaves_everything_right(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    copy_pass()
    world.everybody()
    _written.clear()
    store = place()
    with pytest.raises(StoreProblem):
        copy_pass(Broken(store.filesystem, store.root, store.cache, store.s3))
    agree(now())
    copy_pass()
    agree(now())
    assert checking.verify().problems == []


def test_a_file_nobody_published_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    World()
    copy_pass()
    place().write("000000/contacts-orphan.parquet", pa.table({"contact_id": [1]}))
    assert sweep() == 0  # its writer may be about to publish it
    monkeypatch.setattr("hongyan.audience.population.writer._ALONE", _nothing())
    assert sweep() == 1
    agree(now())


def _nothing() -> Any:
    from datetime import timedelta

    return timedelta(0)


def test_an_erased_person_is_in_no_file_after_a_pass_and_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    copy_pass()
    contact_erase(actor=ACTOR, contact_id=world.ids[0], reason="request")
    copy_pass()
    monkeypatch.setattr("hongyan.audience.population.writer._KEPT", _nothing())
    sweep()
    ids: set[int] = set()
    for file in place().files():
        ids |= set(place().read(file.path)["contact_id"].to_pylist())
    assert world.ids[0] not in ids
    assert ids == set(world.ids[1:])


def test_damage_is_found_and_a_rebuild_mends_it() -> None:
    world = World()
    for _ in range(4):
        world.object()
    copy_pass()
    world.everybody()
    assert checking.verify().problems == []
    copy_pass()
    found = checking.verify()
    assert found.problems == []
    assert found.contacts == len(world.ids)
    assert found.files == PopulationFile.objects.filter(retired_at=None).count()
    first, second, third = PopulationFile.objects.filter(retired_at=None).order_by("id")[:3]
    place().remove(first.path)
    with place().filesystem.open_output_stream(f"{place().root}/{second.path}") as stream:
        stream.write(b"PAR1")
    rows = place().read(third.path)
    wrong = rows.set_column(0, "contact_id", pa.array([pk + 1 for pk in rows["contact_id"].to_pylist()], pa.int64()))
    place().remove(third.path)  # of a bucket the copy here as well
    written = place().write(third.path, wrong)
    PopulationFile.objects.filter(pk=third.pk).update(sha256=written.sha256)
    problems = checking.verify().problems
    for row, what in ((first, "is not there"), (second, "is not what was written"), (third, "differs in contact_id")):
        assert f"{row.path}: {what}" in problems
    checking.rebuild()
    assert checking.verify().problems == []
    agree(now())


def test_a_restored_database_starts_anew() -> None:
    """Transactions are counted by cluster: what another one wrote says nothing here."""
    World()
    copy_pass()
    PopulationState.objects.update(cluster="another")
    with asking() as link, pytest.raises(NotHeld):
        whole(link, now())
    copy_pass()
    agree(now())


def test_a_lost_place_in_the_change_log_starts_anew() -> None:
    from hongyan.contacts import touched
    from hongyan.contacts.models import TouchedReader

    world = World()
    copy_pass()
    TouchedReader.objects.all().delete()
    world.everybody()
    touched.prune(kept_s=0)
    copy_pass()
    agree(now())


def test_the_lane_writes_when_it_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    own = lane.Lane()
    assert own.turn()  # the first build
    assert not own.turn()
    world.city()
    own.took_s = 0.0
    assert not own.turn()  # one change a moment ago can wait
    monkeypatch.setattr(lane, "_AGE_S", 0.0)
    assert own.turn()
    assert checking.status().built
    assert checking.status().contacts == len(world.ids)
    own.took_s = 1000.0
    world.city()
    assert not own.turn()  # it has worked enough for now


def test_views_hold_what_was_asked_for_only() -> None:
    World()
    copy_pass()
    catalogue = now()
    with asking() as link:
        taken = whole(link, catalogue, ["city", "custom.likes"])
        assert told(taken, ["city"])["f:city"] == truth(link, catalogue, ["city"])["f:city"]
        assert taken.version
