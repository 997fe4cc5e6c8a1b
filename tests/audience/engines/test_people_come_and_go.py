"""Merged and erased people, and whom a mail would reach: columns say what rows say, before and after files exist."""

import random
from datetime import timedelta

import pytest
from django.conf import LazySettings

from hongyan.accounts.types import system_actor
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.parse import parse
from hongyan.audience.engines.ask import ask_many
from hongyan.audience.engines.mailing import Mail, refused
from hongyan.audience.engines.types import Engine
from hongyan.audience.population import delta, writer
from hongyan.audience.selectors import _refused_by_rows
from hongyan.contacts.consent import consent_record
from hongyan.contacts.erasure import contact_erase
from hongyan.contacts.models import Topic
from hongyan.contacts.services import contact_create
from hongyan.contacts.suppression import suppress
from hongyan.contacts.types import ConsentAction, ContactValues, Evidence, SuppressionReason
from hongyan.core import clock
from hongyan.events.history import writer as history
from hongyan.events.history.store import open_store
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from hongyan.identity import merging
from hongyan.identity.types import MergeReason
from tests.audience.test_engines_agree import _own_place

__all__ = ["_own_place"]  # the fixture
pytestmark = pytest.mark.django_db(transaction=True)

ACTOR = system_actor("test")
TREES = [
    {"everyone": True},
    {"event": "email_opened", "op": ">=", "count": 2, "within_days": 30},
    {"not": {"event": "email_opened"}},
    {"event": "order_completed", "measure": "sum", "property": "total", "op": ">=", "value": 50},
    {"sequence": [{"event": "email_opened"}, {"event": "order_completed", "within": {"days": 20}}]},
    {"field": "city", "op": "=", "value": "上海"},
]


def _people(chance: random.Random) -> list[int]:
    topic = Topic.objects.get_or_create(key="promotion", defaults={"name_zh": "促销", "name_en": "Promotion"})[0]
    now, ids = clock.now(), []
    for number in range(14):
        values = {"city": chance.choice(["上海", "北京"])} | (
            {"email": f"p{number}@example.com"} if number % 5 else {"full_name": f"王{number}"}
        )
        made = contact_create(actor=ACTOR, values=ContactValues(values), source="test")
        pk = made.pk
        ids.append(pk)
        for _ in range(chance.randrange(3)):
            consent_record(
                actor=ACTOR,
                contact_id=pk,
                channel="email",
                topic_key=chance.choice([None, topic.key]),
                action=chance.choice([ConsentAction.GIVEN, ConsentAction.WITHDRAWN, ConsentAction.REQUESTED]),
                evidence=Evidence(method="staff"),
            )
        for _ in range(chance.randrange(5)):
            at = now - timedelta(days=chance.randrange(60))
            name = chance.choice(["email_opened", "order_completed"])
            append([NewEvent(pk, name, at, "test", {"total": chance.randrange(100)})])
    suppress(actor=ACTOR, kind="email", value="p3@example.com", reason=SuppressionReason.HARD_BOUNCE)
    suppress(actor=ACTOR, kind="email", value="p7@example.com", reason=SuppressionReason.COMPLAINED)
    return ids


def _agree() -> None:
    catalogue, now = catalogue_now(), clock.now()
    nodes = [parse(tree) for tree in TREES]
    by_rows = ask_many(nodes, catalogue=catalogue, now=now, engine="postgres")
    by_columns = ask_many(nodes, catalogue=catalogue, now=now, engine="duckdb")
    for tree, rows, columns in zip(TREES, by_rows, by_columns, strict=True):
        assert columns.ids().to_pylist() == rows.ids().to_pylist(), tree
    topic_id = Topic.objects.get(key="promotion").pk
    for mail in (
        Mail(topic_id, transactional=False),
        Mail(None, transactional=False),
        Mail(topic_id, transactional=True),
    ):
        for node in nodes:
            total, found = refused(node, mail, catalogue=catalogue, now=now, engine=Engine.DUCKDB)
            assert (total, found) == _refused_by_rows(node, mail, catalogue, now), mail


def test_merged_and_erased_people(settings: LazySettings) -> None:
    delta.forget()
    chance = random.Random(4)
    ids = _people(chance)
    _agree()  # nothing is written yet: rows answer every condition
    with history.writing() as link:
        assert link is not None
        history.build(link, open_store())
    writer.begin()
    writer.copy_pass()
    _agree()
    made = merging.merge(actor=ACTOR, survivor_id=ids[0], loser_id=ids[1], reason=MergeReason.MANUAL)
    merging.merge(actor=ACTOR, survivor_id=ids[2], loser_id=ids[3], reason=MergeReason.MANUAL)
    contact_erase(actor=ACTOR, contact_id=ids[4], reason="request")
    append([NewEvent(ids[5], "email_opened", clock.now() - timedelta(days=400), "test", {})])
    _agree()
    merging.unmerge(actor=ACTOR, merge_id=made.pk)
    _agree()
    delta.forget()
