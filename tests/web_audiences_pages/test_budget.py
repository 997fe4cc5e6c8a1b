"""What every page of this area asks of the database: at most 15 questions (the budget), and no more than it did."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from hongyan.accounts.permissions import Role
from hongyan.audience import lists, saved
from hongyan.audience.models import SavedAudience, Tag, TagGroup
from hongyan.audience.models_suggest import SuggestionRun
from hongyan.audience.standing.rfm import rfm_refresh
from hongyan.audience.standing.stages import stages_refresh
from hongyan.audience.suggest.runs import suggestion_start
from hongyan.audience.tagging.rules import rule_draft
from hongyan.contacts.models import Contact
from hongyan.core import clock
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from tests.audience.factory import SYSTEM, group, people, tag
from tests.standing.factory import customer
from tests.web_audiences_pages.test_pages import followed, signed_in

pytestmark = pytest.mark.django_db
BUDGET: Final = 15
TREE: Final = {
    "all": [
        {"field": "city", "op": "in", "value": ["上海", "北京"]},
        {"not": {"event": "email_bounced"}},
        {"any": [{"tag": "one"}, {"event": "email_opened", "op": ">=", "count": 1, "within_days": 90}]},
        {"field": "orders.count", "op": "is_not_set"},
    ]
}


class Cast:
    """One of everything a page can be about; several of what a page could ask for one by one."""

    def __init__(self) -> None:
        there = people(6, city="上海", country="CN", language="zh") + people(6, city="北京", country="CN")
        customer(orders=2, total_minor=300, days_ago=1)
        happened = [NewEvent(one.pk, "email_opened", clock.now(), "test", {}) for one in there[:3]]
        append(happened)
        for number in range(4):
            where = group(f"where{number}", exclusive=True)
            for key, city in (("one", "上海"), ("two", "北京"), ("three", "上海")):
                made = tag(f"{key}{number or ''}", where)
                rule_draft(actor=SYSTEM, tag=made, tree={"field": "city", "op": "=", "value": city})
        self.person: Contact = there[0]
        for number in range(4):
            saved.audience_create(actor=SYSTEM, name=f"A{number}", tree={"field": "country", "op": "=", "value": "CN"})
        self.audience: SavedAudience = saved.audience_create(actor=SYSTEM, name="Shanghai", tree=TREE)
        saved.audience_create(actor=SYSTEM, name="Outer", tree={"audience": str(self.audience.public_id)})
        followed(self.audience)
        self.list = lists.list_create(actor=SYSTEM, name="Fair")
        self.group = TagGroup.objects.get(key="where0")
        self.tag = Tag.objects.get(key="one")
        stages_refresh()
        rfm_refresh()
        self.run: SuggestionRun = suggestion_start(actor=SYSTEM, kind=SuggestionRun.Kind.CLUSTERS, target="everyone")


Address = Callable[[Cast], str]


def of_audience(name: str, *rest: Any) -> Address:
    return lambda cast: reverse(f"audiences:{name}", args=[cast.audience.public_id, *rest])


def plain(name: str, *args: Any) -> Address:
    return lambda _cast: reverse(f"audiences:{name}", args=list(args))


# Session, account and roles are three of them.
PAGES: Final[dict[str, tuple[int, Address]]] = {
    "audience": (10, of_audience("audience")),
    "moves": (11, of_audience("moves")),
    "profile": (9, of_audience("profile")),
    "value": (10, of_audience("value")),
    "overlap": (9, of_audience("overlap")),
    "definition": (12, of_audience("definition")),
    "reach": (9, of_audience("reach")),
    "some": (10, of_audience("some")),
    "uses": (10, of_audience("uses")),
    "snapshots": (7, of_audience("snapshots")),
    "edit": (10, of_audience("edit")),
    "why": (6, of_audience("why")),
    "why_person": (
        12,
        lambda cast: reverse("audiences:why_person", args=[cast.audience.public_id, cast.person.public_id]),
    ),
    "of_contact": (11, lambda cast: reverse("audiences:of_contact", args=[cast.person.public_id])),
    "index": (13, plain("index")),
    "create": (5, plain("create")),
    "vocabulary": (8, plain("vocabulary")),
    "values": (7, lambda _cast: reverse("audiences:values") + "?field=city&q=上"),
    "tags": (11, plain("tags")),
    "tag": (15, lambda cast: reverse("audiences:tag_edit", args=[cast.tag.public_id])),
    "tag, some": (9, lambda cast: reverse("audiences:tag_some", args=[cast.tag.public_id])),
    "rule": (7, lambda cast: reverse("audiences:rule_edit", args=[cast.tag.public_id])),
    "group": (6, lambda cast: reverse("audiences:group_edit", args=[cast.group.public_id])),
    "check": (13, lambda cast: reverse("audiences:group_check", args=[cast.group.public_id])),
    "check, put in order": (
        14,
        lambda cast: reverse("audiences:group_check", args=[cast.group.public_id]) + "?fix=order",
    ),
    "check, tag the others": (
        14,
        lambda cast: reverse("audiences:group_check", args=[cast.group.public_id]) + "?fix=rest",
    ),
    "list": (13, lambda cast: reverse("audiences:list", args=[cast.list.public_id])),
    "list, its form": (6, lambda cast: reverse("audiences:list_edit", args=[cast.list.public_id])),
    "stages": (11, plain("stages")),
    "stage rules": (7, plain("stage_rules")),
    "stage rule": (6, plain("stage_rule", "lost")),
    "rfm": (11, plain("rfm")),
    "rfm rules": (7, plain("rfm_rules")),
    "ready": (7, plain("ready")),
    "ready, a size": (7, plain("ready_count", "vip")),
    "suggestions": (7, plain("suggest")),
    "suggestion": (6, lambda cast: reverse("audiences:suggestion", args=[cast.run.public_id])),
}


@pytest.fixture
def cast() -> Cast:
    return Cast()


def asked_by(client: Client, address: str, posted: Any = None) -> list[str]:
    """Savepoints exist because a test runs inside a transaction."""
    with CaptureQueriesContext(connection) as seen:
        answer = client.post(address, posted, "application/json") if posted else client.get(address)
    assert answer.status_code == 200, address
    return [row["sql"] for row in seen if not row["sql"].startswith(("SAVEPOINT", "RELEASE"))]


def test_no_page_asks_more_than_it_did(cast: Cast) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    client.get(reverse("audiences:index"))
    over = []
    for name, (most, address) in PAGES.items():
        assert most <= BUDGET, name
        found = asked_by(client, address(cast))
        if len(found) > most:
            over.append("\n   ".join([f"{name}: {len(found)} > {most}", *(sql[:110] for sql in found)]))
    assert not over, "\n" + "\n".join(over)


def test_the_builder_asks_no_more_than_it_did(cast: Cast) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    client.get(reverse("audiences:index"))
    for want, most in {"words": 8, "count": 9, "people": 11, "parts": 9}.items():
        found = asked_by(client, reverse("audiences:preview") + f"?want={want}", TREE)
        over = {want: len(found)} if len(found) > most else {}
        assert not over, "\n".join(sql[:110] for sql in found)
    assert len(asked_by(client, reverse("audiences:read_text"), 'city = "上海"')) <= 6
