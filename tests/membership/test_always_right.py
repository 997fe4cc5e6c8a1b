"""The law: after any interleaving of events, edits, merges, erasures, definitions and leaps of the clock, with the lane
working whenever it likes, members are what the definitions mean at that moment; and moves add up to members."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hongyan.audience.lists import list_add, list_create, list_remove
from hongyan.audience.membership.lane import Lane, settle
from hongyan.audience.membership.types import ENTERED, LEFT
from hongyan.audience.models import Following, SavedAudience, Tag
from hongyan.audience.saved import audience_delete, audience_update
from hongyan.audience.tagging.tags import tag_contacts, untag_contacts
from hongyan.contacts.erasure import contact_erase
from hongyan.contacts.fields import field_create
from hongyan.contacts.models import Contact, FieldDefinition
from hongyan.contacts.objects import object_upsert, objects_remove_many
from hongyan.contacts.objects_types import object_type_create
from hongyan.core import clock
from hongyan.events.models import Event
from hongyan.identity.merging import merge, unmerge
from hongyan.identity.models_merging import Merge
from hongyan.identity.types import MergeReason
from tests.audience.factory import group, tag
from tests.emptying import empty_database
from tests.membership.factory import NOW, SYSTEM, audience, check_all, happen, members

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ["email_opened", "order_completed", "page_viewed"]
WHERE: list[dict[str, Any]] = [
    {"property": "x", "op": "=", "value": "a"},
    {"property": "n", "op": ">", "value": 2},
    {"not": {"property": "x", "op": "=", "value": "a"}},
    {"property": "due", "op": "within_next_days", "value": 2},
    {"not": {"property": "due", "op": "within_last_days", "value": 3}},
]
WINDOWS: list[dict[str, Any]] = [
    {},
    {"within_days": 2},
    {"within_days": 7},
    {"within_hours": 5},
    {"days_ago": [7, 2]},
    {"from": "2026-11-20", "to": "2026-11-24"},
    {"to": "2026-11-23"},
]


def did(dice: random.Random) -> dict[str, Any]:
    part: dict[str, Any] = {"event": dice.choice(NAMES)} | dice.choice(WINDOWS)
    kind = dice.randint(0, 5)
    if kind == 1:
        part |= {"op": dice.choice([">=", "=", "<=", "<"]), "count": dice.randint(1, 3)}
    elif kind == 2:
        part |= {"measure": "sum", "property": "n", "op": dice.choice([">=", "<"]), "value": dice.randint(1, 6)}
    elif kind == 3:
        part |= {"measure": dice.choice(["first_at", "last_at"]), "op": "within_last_days", "value": dice.randint(1, 5)}
    elif kind == 4:
        part |= {"measure": dice.choice(["first", "last"]), "property": "x", "op": "=", "value": "a"}
    elif kind == 5:
        part |= {"measure": "last", "property": "due", "op": "within_next_days", "value": dice.randint(1, 5)}
    return part | ({"where": dice.choice(WHERE)} if dice.random() < 0.4 else {})


def sequence(dice: random.Random) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"event": dice.choice(NAMES)}]
    if dice.random() < 0.5:
        steps.append({"event": dice.choice(NAMES), "within": {"days": dice.randint(1, 3)}})
    if len(steps) == 1 or dice.random() < 0.5:
        steps.append({"not_event": dice.choice(NAMES), "within": {"hours": dice.choice([2, 30])}})
    return {"sequence": steps} | dice.choice([{}, {"within_days": 4}])


def leaf(dice: random.Random, inner: list[str], list_id: str) -> dict[str, Any]:
    kinds: list[Callable[[], dict[str, Any]]] = [
        lambda: did(dice),
        lambda: did(dice),
        lambda: sequence(dice),
        lambda: {"field": "city", "op": dice.choice(["=", "!="]), "value": "A"},
        lambda: {"field": "created_at", "op": "within_last_days", "value": dice.randint(1, 6)},
        lambda: {"field": "last_activity_at", "op": "within_last_days", "value": dice.randint(1, 6)},
        lambda: {
            "field": "custom.renewal",
            "op": dice.choice(["within_next_days", "within_last_days"]),
            "value": dice.randint(1, 4),
        },
        lambda: {"field": "custom.seen", "op": dice.choice(["within_next_days", "within_last_days"]), "value": 2},
        lambda: {"tag": "vip"},
        lambda: {"list": list_id},
        lambda: {
            "object": "pet",
            "where": {"property": "until", "op": "within_next_days", "value": dice.randint(1, 3)},
        },
        lambda: {"everyone": True},
    ]
    if inner:
        kinds.append(lambda: {"audience": dice.choice(inner)})
    part = dice.choice(kinds)()
    return {"not": part} if dice.random() < 0.3 else part


def tree(dice: random.Random, inner: list[str], list_id: str) -> dict[str, Any]:
    parts = [leaf(dice, inner, list_id) for _ in range(dice.randint(1, 3))]
    return parts[0] if len(parts) == 1 else {dice.choice(["all", "any"]): parts}


class World:
    """Does one thing after another; which, the dice say."""

    def __init__(self, dice: random.Random) -> None:
        self.dice, self.now = dice, NOW
        self.lane = Lane()
        self.vip: Tag = tag("vip", group())
        self.list = list_create(actor=SYSTEM, name="Fair")
        for key, kind in (("renewal", FieldDefinition.Type.DATE), ("seen", FieldDefinition.Type.DATETIME)):
            field_create(actor=SYSTEM, key=key, label_zh=key, label_en=key, type=kind)
        fields = [{"key": "until", "type": "date", "label_zh": "至", "label_en": "Until"}]
        object_type_create(actor=SYSTEM, key="pet", label_zh="宠物", label_en="Pet", fields=fields)
        self.audiences: list[SavedAudience] = []
        self.merges: list[Merge] = []
        self.made = 0

    def contact(self) -> int | None:
        ids = list(Contact.objects.order_by("id").values_list("id", flat=True))
        return self.dice.choice(ids) if ids else None

    def tree(self) -> dict[str, Any]:
        return tree(self.dice, [str(one.public_id) for one in self.audiences], str(self.list.public_id))

    def act(self) -> None:
        acts: list[tuple[int, Callable[[], None]]] = [
            (10, self.event),
            (2, self.person),
            (3, self.edit),
            (2, self.tags),
            (2, self.listed),
            (2, self.pet),
            (2, self.define),
            (1, self.redefine),
            (1, self.switch),
            (1, self.erase),
            (1, self.merge),
            (1, self.unmerge),
            (6, self.leap),
            (5, self.lane_turn),
        ]
        self.dice.choices([act for _, act in acts], [weight for weight, _ in acts])[0]()

    def event(self) -> None:
        contact = self.contact()
        if contact is not None:
            at = self.now + self.dice.choice(
                [timedelta(0), timedelta(hours=-3), timedelta(days=-3), timedelta(days=-200), timedelta(hours=4)]
            )
            x, n = self.dice.choice(["a", "b"]), self.dice.randint(0, 4)
            happen(contact, self.dice.choice(NAMES), at, x=x, n=n, due=self.due())

    def due(self) -> Any:
        """As whoever sends it likes to write it."""
        at = self.now + timedelta(hours=self.dice.randint(-80, 80))
        shown = at.replace(tzinfo=None).isoformat(" ", "minutes")
        return self.dice.choice([at.isoformat(), shown, at.date().isoformat(), "soon", None, 5])

    def person(self) -> None:
        Contact.objects.create(
            city=self.dice.choice("AB"), created_at=self.now, updated_at=self.now, attributes=self.dates()
        )

    def dates(self) -> dict[str, Any]:
        day = (self.now + timedelta(days=self.dice.randint(-3, 5))).date().isoformat()
        at = (self.now + timedelta(hours=self.dice.randint(-60, 60))).isoformat()
        return {"renewal": self.dice.choice([day, "", None, "soon"]), "seen": self.dice.choice([at, "", 5])}

    def edit(self) -> None:
        contact = self.contact()
        if contact is None:
            return
        if self.dice.random() < 0.5:
            Contact.objects.filter(pk=contact).update(city=self.dice.choice("AB"), attributes=self.dates())
        else:
            Contact.objects.filter(pk=contact).update(last_activity_at=self.now)

    def tags(self) -> None:
        contact = self.contact()
        if contact is not None:
            if self.dice.random() < 0.6:
                tag_contacts(actor=SYSTEM, tag=self.vip, contact_ids=[contact])
            else:
                untag_contacts(actor=SYSTEM, tag=self.vip, contact_ids=[contact])

    def listed(self) -> None:
        contact = self.contact()
        if contact is not None:
            act = self.dice.choice([list_add, list_remove])
            act(actor=SYSTEM, contact_list=self.list, contact_ids=[contact])

    def pet(self) -> None:
        contact, name = self.contact(), self.dice.choice(["p1", "p2"])
        if contact is None:
            return
        if self.dice.random() < 0.3:
            objects_remove_many(actor=SYSTEM, type_key="pet", external_ids=[name], source="test")
            return
        until = (self.now + timedelta(days=self.dice.randint(-1, 5))).date().isoformat()
        object_upsert(actor=SYSTEM, type_key="pet", external_id=name, contact_id=contact, values={"until": until})

    def define(self) -> None:
        if len(self.audiences) < 6:
            self.made += 1
            self.audiences.append(audience(f"audience {self.made}", self.tree()))

    def redefine(self) -> None:
        if self.audiences:
            one = self.audiences[-1]  # nobody contains the last one
            one.refresh_from_db()
            others = [str(other.public_id) for other in self.audiences[:-1]]
            audience_update(
                actor=SYSTEM,
                audience=one,
                name=one.name,
                tree=tree(self.dice, others, str(self.list.public_id)),
            )

    def switch(self) -> None:
        if self.audiences and self.dice.random() < 0.5:
            audience_delete(actor=SYSTEM, audience=self.audiences.pop()) if self.unused() else None

    def unused(self) -> bool:
        from hongyan.audience.types import UsedKind
        from hongyan.audience.usage import where_used

        return not where_used(UsedKind.AUDIENCE, str(self.audiences[-1].public_id))

    def erase(self) -> None:
        contact = self.contact()
        if contact is not None and not any(contact in (one.survivor_id, one.loser_id) for one in self.merges):
            contact_erase(actor=SYSTEM, contact_id=contact, reason="request")

    def merge(self) -> None:
        first, second = self.contact(), self.contact()
        if first is not None and second is not None and first != second:
            self.merges.append(merge(actor=SYSTEM, survivor_id=first, loser_id=second, reason=MergeReason.MANUAL))

    def unmerge(self) -> None:
        if self.merges:
            unmerge(actor=SYSTEM, merge_id=self.merges.pop().pk)

    def leap(self) -> None:
        self.now += self.dice.choice(
            [timedelta(microseconds=1), timedelta(hours=1), timedelta(hours=7), timedelta(days=2), timedelta(days=5)]
        )

    def lane_turn(self) -> None:
        """Some of its work, or a new process that takes over, or all there is to do."""
        kind = self.dice.randint(0, 3)
        if kind == 0:
            self.lane = Lane()
        elif kind == 1:
            self.lane.turn()
        elif kind == 2:
            self.lane.turn()
            self.lane.fill_some()
        else:
            settle(self.lane)
            check_all()


@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(seed=st.integers(0, 2**32))
def test_members_are_what_the_definitions_mean(seed: int) -> None:
    empty_database()
    dice = random.Random(seed)
    with clock.freeze(NOW):
        world = World(dice)
        for _ in range(4):
            world.person()
        for _ in range(3):
            world.define()
    for _ in range(45):
        with clock.freeze(world.now):
            world.act()
    with clock.freeze(world.now):
        settle(world.lane)
        check_all()
        moves_add_up()
    assert isinstance(world.now, datetime)


def moves_add_up() -> None:
    """Nobody enters twice without leaving in between."""
    for row in Following.objects.filter(live=True).select_related("audience"):
        told: dict[int, list[str]] = {}
        public_id = str(row.audience.public_id)
        for name, contact, properties in (
            Event.objects.filter(name__in=[ENTERED, LEFT])
            .order_by("id")
            .values_list("name", "contact_id", "properties")
        ):
            if contact is not None and properties["audience"] == public_id:
                told.setdefault(contact, []).append(name)
        held = members(row.audience)
        for contact, names in told.items():
            if Event.objects.filter(contact_id=contact, name__in=["contact_merged", "contact_unmerged"]).exists():
                continue  # the tales of two
            assert all(first != second for first, second in pairwise(names)), names
            assert (names[-1] == ENTERED) == (contact in held)
