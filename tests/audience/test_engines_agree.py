"""PostgreSQL, DuckDB over real files and the plain meaning give the same people, while the files lag behind."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.compiler.check import check
from hongyan.audience.compiler.evaluate import Facts, evaluate
from hongyan.audience.compiler.nodes import All, AnyOf, Not, PropertyIs, walk
from hongyan.audience.compiler.parse import parse
from hongyan.audience.compiler.rewrite import expand
from hongyan.audience.engines.ask import ask, ask_many
from hongyan.audience.population import delta, writer
from hongyan.contacts.models import Contact
from hongyan.events.history import writer as history
from hongyan.events.history.plan import ask_for
from hongyan.events.history.store import open_store
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from tests.audience import world
from tests.audience.generate import EVENTS, MOMENTS, Moment, facts_at, trees_at
from tests.emptying import empty_database

pytestmark = pytest.mark.django_db(transaction=True)

EMPTY = {"city": "", "birth_month": None, "has_email": False, "last_activity_at": None, "sex": 0}


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, settings: LazySettings) -> None:
    settings.HONGYAN_HISTORY_URL = str(tmp_path / "history")


@contextmanager
def installation(
    everybody: list[Facts], moment: Moment, chance: random.Random
) -> Iterator[tuple[Catalogue, list[int]]]:
    """The facts as rows; files know only what was there in the middle of writing them."""
    early = [replace(one, events=tuple(e for e in one.events if chance.random() < 0.6)) for one in everybody]
    early = [replace(one, columns={**one.columns, **EMPTY}) if chance.random() < 0.3 else one for one in early]
    try:
        catalogue, ids = world._write(early, moment)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(writer, "catalogue_now", lambda: catalogue)
            _files()
        for contact_id, one, before in zip(ids, everybody, early, strict=True):
            if one.columns != before.columns:
                Contact.objects.filter(pk=contact_id).update(**one.columns)
            late = [event for event in one.events if event not in before.events]
            append([NewEvent(contact_id, e.name, e.at, "test", dict(e.properties)) for e in late])
        yield catalogue, ids
    finally:
        empty_database()
        delta.forget()


def _files() -> None:
    for name in EVENTS:
        ask_for(name, ["x", "y"])
    with history.writing() as link:
        assert link is not None
        history.build(link, open_store())
    writer.begin()
    writer.copy_pass()


@st.composite
def questions(draw: st.DrawFn) -> tuple[Moment, list[Facts], list[dict[str, Any]]]:
    moment = draw(MOMENTS)
    everybody = draw(st.lists(facts_at(moment), min_size=2, max_size=6))
    return moment, everybody, draw(st.lists(trees_at(moment), min_size=8, max_size=12))


def in_order_of_writing(everybody: list[Facts], ids: list[int]) -> list[Facts]:
    """With the event ids that the database gave: of equal times the earlier written one comes first."""
    known: dict[tuple[int, str, Any, str], list[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT contact_id, name, occurred_at, properties::text, id FROM events_event ORDER BY id")
        for contact_id, name, at, properties, pk in cursor.fetchall():
            known.setdefault((contact_id, name, at, properties), []).append(pk)
        found = []
        for contact_id, one in zip(ids, everybody, strict=True):
            events = []
            for event in one.events:
                cursor.execute("SELECT %s::jsonb::text", [_json(event.properties)])
                text = cursor.fetchone()[0]
                events.append(replace(event, id=known[contact_id, event.name, event.at, text].pop(0)))
            found.append(replace(one, events=tuple(events)))
    return found


def _json(properties: Any) -> str:
    import orjson

    return orjson.dumps(dict(properties)).decode()


def _parts(  # noqa: PLR0917
    tree: dict[str, Any], seen: list[Facts], ids: list[int], catalogue: Catalogue, moment: Moment, engine: str
) -> str:
    """Which conditions the engines see differently."""
    found = []
    for node in walk(expand(parse(tree), catalogue)):
        if isinstance(node, PropertyIs | All | AnyOf | Not):
            continue
        wanted = [who for who, one in zip(ids, seen, strict=True) if evaluate(node, one, catalogue, now=moment.now)]
        got = ask(node, catalogue=catalogue, now=moment.now, engine=engine).ids().to_pylist()
        if got != wanted:
            found.append(f"{node}: {got} instead of {wanted}")
    return "\n".join(found) or f"only together: {tree}"


# Shrinking takes minutes; the failing tree is printed as it is.
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(asked=questions(), seed=st.integers(0, 1000))
def test_all_engines_agree(asked: tuple[Moment, list[Facts], list[dict[str, Any]]], seed: int) -> None:
    moment, everybody, trees = asked
    with installation(everybody, moment, random.Random(seed)) as (catalogue, ids):
        seen = [world.renumbered(one, catalogue) for one in in_order_of_writing(everybody, ids)]
        nodes = [parse(tree) for tree in trees]
        for node in nodes:
            assert check(node, catalogue) == []
        expected = [
            [who for who, one in zip(ids, seen, strict=True) if evaluate(node, one, catalogue, now=moment.now)]
            for node in nodes
        ]
        for engine in ("postgres", "duckdb"):
            answers = ask_many(nodes, catalogue=catalogue, now=moment.now, engine=engine)
            for tree, answer, wanted in zip(trees, answers, expected, strict=True):
                assert answer.ids().to_pylist() == wanted, (engine, _parts(tree, seen, ids, catalogue, moment, engine))
                assert answer.count() == len(wanted)
                assert answer.sample(2) == wanted[::-1][:2]
