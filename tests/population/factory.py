"""An installation with a bit of everything a condition can ask of people, and ways to change it."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction
from psycopg import Connection

from hongyan.accounts.types import system_actor
from hongyan.audience import lists
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue, FieldType
from hongyan.audience.models import Lifecycle
from hongyan.audience.population.columns import of_objects, of_people
from hongyan.audience.population.people import open_people
from hongyan.audience.population.reading import Chunk, objects, people
from hongyan.audience.population.snapshot import snapshot
from hongyan.audience.population.types import PeopleSnapshot
from hongyan.audience.tagging.tags import tag_contacts, untag_contacts
from hongyan.audience.tagging.taxonomy import tag_for_key
from hongyan.commerce.models import ContactFacts
from hongyan.contacts import companies, fields, objects_types
from hongyan.contacts import objects as things
from hongyan.contacts.activity import mark_active
from hongyan.contacts.consent import consent_record
from hongyan.contacts.erasure import contact_erase
from hongyan.contacts.models import Contact, Topic
from hongyan.contacts.objects import ObjectIn
from hongyan.contacts.services import contact_create, contact_update
from hongyan.contacts.types import ConsentAction, ContactChanges, ContactValues, Evidence
from hongyan.core import clock
from hongyan.core.dsn import connection_parameters
from hongyan.identity import merging
from hongyan.identity.types import MergeReason

ACTOR = system_actor("test")
# What may stand in the custom fields: right ones, and what an earlier type of the field or a careless client left.
ODDITIES: dict[str, list[Any]] = {
    "plan": ["gold", "Gold", "", " ", "a\nb", 'quo"te', "金", 7, True, None, ["gold"], {"a": 1}],
    "size": ["S", "L", "", 3, None],
    "points": [0, 1, -2.5, 1e3, 0.1, 12345678901234567890, 1.000000000000000001, "7", True, None],
    "vip": [True, False, "true", 1, None],
    "born": ["2024-02-29", "1999-12-31", "", 20240101, None],
    "renewed": ["2026-01-02T10:00:00+00:00", "2026-01-02T10:00:00.000001+00:00", "", 5, None],
    "likes": [["a"], ["a", "b"], [], "a", [1, "b"], None],
}


class World:
    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)
        for key, kind, options in (
            ("plan", "text", ()),
            ("size", "choice", ("S", "L")),
            ("points", "number", ()),
            ("vip", "boolean", ()),
            ("born", "date", ()),
            ("renewed", "datetime", ()),
            ("likes", "choices", ("a", "b")),
        ):
            given = [{"value": one, "label_zh": one, "label_en": one} for one in options]
            fields.field_create(actor=ACTOR, key=key, label_zh=key, label_en=key, type=kind, options=given)
        self.tags = [tag_for_key(actor=ACTOR, key=key) for key in ("vip", "new")]
        self.lists = [lists.list_create(actor=ACTOR, name=name) for name in ("Fair", "Web")]
        self.companies = [companies.company_upsert(actor=ACTOR, source="t", name=name) for name in ("Acme", "Initech")]
        objects_types.object_type_create(
            actor=ACTOR,
            key="pet",
            label_zh="宠物",
            label_en="Pet",
            fields=[
                {"key": "kind", "label_zh": "种类", "label_en": "Kind", "type": "text"},
                {"key": "age", "label_zh": "年龄", "label_en": "Age", "type": "number"},
            ],
        )
        self.ids: list[int] = []
        self.number = 0
        for _ in range(9):
            self.create()

    def pick(self) -> int:
        return self.random.choice(self.ids)

    def some(self) -> list[int]:
        return self.random.sample(self.ids, self.random.randint(1, min(4, len(self.ids))))

    # ——— acts

    def create(self) -> None:
        self.number += 1
        made = contact_create(
            actor=ACTOR,
            values=ContactValues(
                {"email": f"p{self.number}@example.com", "city": self.random.choice(["上海", "x", ""])}
            ),
            source="test",
        )
        self.ids.append(made.pk)

    def far_away(self) -> None:
        """A contact far beyond all the others: chunks between have nobody."""
        made = Contact.objects.create(id=max(self.ids) + self.random.randint(20, 40), city="far")
        self.ids.append(made.pk)

    def city(self) -> None:
        values = ContactChanges({"city": self.random.choice(["北京", "x", "a,b", 'q"q', "line\nline", ""])})
        contact_update(actor=ACTOR, contact_id=self.pick(), changes=values, source="staff")

    def attributes(self) -> None:
        odd = {key: self.random.choice(values) for key, values in ODDITIES.items() if self.random.random() < 0.6}
        Contact.objects.filter(pk=self.pick()).update(attributes=odd)

    def erase(self) -> None:
        if len(self.ids) > 3:
            gone = self.pick()
            self.ids.remove(gone)
            contact_erase(actor=ACTOR, contact_id=gone, reason="request")

    def merge(self) -> None:
        if len(self.ids) > 3:
            survivor, loser = self.random.sample(self.ids, 2)
            made = merging.merge(actor=ACTOR, survivor_id=survivor, loser_id=loser, reason=MergeReason.MANUAL)
            if self.random.random() < 0.5:
                merging.unmerge(actor=ACTOR, merge_id=made.pk)
            else:
                self.ids.remove(loser)

    def tag(self) -> None:
        tag_contacts(actor=ACTOR, tag=self.random.choice(self.tags), contact_ids=self.some())

    def untag(self) -> None:
        untag_contacts(actor=ACTOR, tag=self.random.choice(self.tags), contact_ids=self.some())

    def list(self) -> None:
        chosen = self.random.choice(self.lists)
        act: Callable[..., int] = self.random.choice([lists.list_add, lists.list_remove])
        act(actor=ACTOR, contact_list=chosen, contact_ids=self.some())

    def consent(self) -> None:
        consent_record(
            actor=ACTOR,
            contact_id=self.pick(),
            channel="email",
            topic_key=self.random.choice([None, Topic.objects.earliest("id").key]),
            action=self.random.choice([ConsentAction.GIVEN, ConsentAction.WITHDRAWN, ConsentAction.REQUESTED]),
            evidence=Evidence(method="staff"),
        )

    def company(self) -> None:
        companies.company_assign(actor=ACTOR, company_id=self.random.choice(self.companies).pk, contact_ids=self.some())

    def company_changes(self) -> None:
        values = {"industry": self.random.choice(["tea", "steel"])}
        companies.company_update(actor=ACTOR, company_id=self.random.choice(self.companies).pk, values=values)

    def object(self) -> None:
        name = f"o{self.random.randint(1, 5)}"
        row = ObjectIn(
            name, self.pick(), {"kind": self.random.choice(["cat", "dog"]), "age": self.random.randint(1, 9)}
        )
        things.objects_upsert(actor=ACTOR, type_key="pet", rows=[row], source="test")

    def object_gone(self) -> None:
        things.objects_remove_many(actor=ACTOR, type_key="pet", external_ids=["o1", "o2"], source="test")

    def facts(self) -> None:
        ContactFacts.objects.update_or_create(
            contact_id=self.pick(),
            defaults={
                "orders": self.random.randint(1, 9),
                "currency": "CNY",
                "total_minor": self.random.randint(0, 10**6),
                "average_minor": 7,
                "per_currency": {},
                "last_at": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
            },
        )

    def stage(self) -> None:
        Lifecycle.objects.update_or_create(
            contact_id=self.pick(), defaults={"stage": self.random.choice(["lost", "retention"]), "since": clock.now()}
        )

    def active(self) -> None:
        mark_active({pk: clock.now() + timedelta(seconds=self.random.random()) for pk in self.some()})

    def everybody(self) -> None:
        Contact.objects.update(region=self.random.choice(["east", "west"]))


ACTS = [
    name
    for name in vars(World)
    if not name.startswith("_") and name not in {"pick", "some"} and callable(getattr(World, name))
]


@contextmanager
def asking(*, other: bool = False) -> Iterator["Connection[Any]"]:
    """A connection in one view of everything; other: beside Django's."""
    if other:
        with psycopg.connect(**connection_parameters()) as link:
            link.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield link
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield cast("Connection[Any]", connection.connection)


def open_keys(catalogue: Catalogue) -> list[str]:
    return [key for key, spec in catalogue.fields.items() if spec.type is not FieldType.SEALED]


def whole(link: "Connection[Any]", catalogue: Catalogue, keys: list[str] | None = None) -> PeopleSnapshot:
    keys = open_keys(catalogue) if keys is None else keys
    return snapshot(link, catalogue, fields=keys, objects={"pet": ["kind", "age"]})


Told = dict[str, dict[int, Any]]


def told(taken: PeopleSnapshot, keys: list[str]) -> Told:
    """What the views say: column → contact → value, and the objects as sorted rows."""
    names = [*(f"f:{key}" for key in keys), "filled", "tags", "lists", "consents"]
    with duckdb.connect() as duck:
        open_people(duck, taken, names)
        found = _by_contact(duck.sql("SELECT * FROM people").to_arrow_table())
        pets = duck.sql('SELECT contact_id, "f:kind", "f:age", filled FROM "objects:pet"').to_arrow_table()
    return found | {"pets": _things(pets)}


def truth(link: "Connection[Any]", catalogue: Catalogue, keys: list[str]) -> Told:
    """What PostgreSQL says, all of it read in one piece."""
    everybody = _Everybody(0)
    wanted = {f"f:{key}": of_people(catalogue)[f"f:{key}"] for key in keys}
    read = people(link, wanted, everybody)
    pets = objects(link, of_objects(catalogue, "pet"), catalogue.objects["pet"].id, everybody)
    return _by_contact(read.rows) | {"pets": _things(pets.rows)}


class _Everybody(Chunk):
    def sql(self, column: str) -> str:
        return f"{column} >= 0"


def _by_contact(rows: pa.Table) -> Told:
    ids = rows["contact_id"].to_pylist()
    assert len(ids) == len(set(ids))
    return {
        name: dict(zip(ids, [sorted(v) if isinstance(v, list) else v for v in rows[name].to_pylist()], strict=True))
        for name in rows.column_names
    }


def _things(rows: pa.Table) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for contact_id in pc.unique(rows["contact_id"]).to_pylist():
        own = rows.filter(pc.equal(rows["contact_id"], contact_id)).to_pylist()
        found[contact_id] = sorted(str(sorted(row.items())) for row in own)
    return found


def now() -> Catalogue:
    return catalogue_now()
