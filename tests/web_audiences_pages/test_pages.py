"""The pages of a saved audience, through the test client."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from hongyan.accounts.permissions import Role
from hongyan.audience import saved
from hongyan.audience.membership.selectors import state_of
from hongyan.audience.models import ContactList, SavedAudience
from hongyan.audience.models_membership import Following, Member, MemberDay, MemberMove
from hongyan.contacts.models import Contact
from hongyan.core import clock
from tests.audience.factory import SYSTEM, people
from tests.browser import staff

pytestmark = pytest.mark.django_db
SHANGHAI = {"field": "city", "op": "=", "value": "上海"}
CHINA = {"field": "country", "op": "=", "value": "CN"}
TABS = ("audience", "moves", "profile", "value", "overlap", "definition")


def signed_in(role: Role = Role.MARKETER, language: str = "en") -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    client.force_login(staff(role, language=language))
    return client


@pytest.fixture
def shanghai() -> SavedAudience:
    people(6, city="上海", country="CN", language="zh")
    people(4, city="北京", country="CN", language="zh")
    people(10, city="Berlin", country="DE", language="de")
    saved.audience_create(actor=SYSTEM, name="China", tree=CHINA)
    saved.audience_create(actor=SYSTEM, name="Germany", tree={"not": CHINA})
    return saved.audience_create(actor=SYSTEM, name="Shanghai", tree=SHANGHAI)


def followed(audience: SavedAudience, *, days: int = 3) -> list[Contact]:
    """As the membership lane leaves an audience behind that it has followed for some days."""
    now = clock.now()
    members = list(Contact.objects.filter(city="上海").order_by("pk"))
    filled_at, state = now - timedelta(days=days), Following.State.CURRENT
    Following.objects.create(audience=audience, state=state, version=1, filled_at=filled_at)  # rows bring the size
    Member.objects.bulk_create(Member(audience=audience, contact=one, since=now) for one in members)
    for number in range(days):
        MemberDay.objects.create(
            audience=audience, day=(now - timedelta(days=number)).date(), size=len(members) - number, entered=1,
            causes={"event:email_opened": [1, 0]},
        )  # fmt: skip
    MemberMove.objects.create(
        audience=audience, contact=members[0], entered=True, at=now, kind="event", cause="email_opened"
    )
    MemberMove.objects.create(audience=audience, contact=members[1], entered=False, at=now, kind="time")
    return members


@contextmanager
def asked(*, at_most: int) -> Iterator[None]:
    """Questions to the database; savepoints exist because a test runs inside a transaction."""
    with CaptureQueriesContext(connection) as seen:
        yield
    found = [row["sql"][:90] for row in seen if not row["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(found) <= at_most, "\n".join(found)


def body(client: Client, name: str, audience: SavedAudience, query: str = "") -> str:
    answer = client.get(reverse(f"audiences:{name}", args=[audience.public_id]) + query)
    assert answer.status_code == 200, name
    return str(answer.content.decode())


@pytest.mark.parametrize(("language", "word"), [("en", "Audiences"), ("zh-hans", "受众")])
@pytest.mark.parametrize("days", [0, 3])
def test_every_tab_opens_with_and_without_history(shanghai: SavedAudience, language: str, word: str, days: int) -> None:
    if days:
        followed(shanghai, days=days)
    client = signed_in(language=language)
    body(client, "audience", shanghai)
    for tab in TABS:
        with asked(at_most=10):  # test_budget has them one by one
            assert word in body(client, tab, shanghai), tab
    for part in ("reach", "some", "uses", "snapshots"):
        with asked(at_most=8):
            body(client, part, shanghai)


def test_the_size_comes_first_and_movement_beside_it(shanghai: SavedAudience) -> None:
    followed(shanghai)
    text = body(signed_in(), "audience", shanghai)
    assert "Contacts whose city is “上海”" in text
    assert "Entered in 7 days" in text
    assert "Contacts at the end of each day" in text


def test_moves_name_the_event_and_link_the_contact(shanghai: SavedAudience) -> None:
    members = followed(shanghai)
    client = signed_in()
    text = body(client, "moves", shanghai)
    assert "opened a mail" in text
    assert "time passed" in text
    assert reverse("contacts:contact", args=[members[0].public_id]) in text
    only = body(client, "moves", shanghai, "?way=left")
    assert reverse("contacts:contact", args=[members[1].public_id]) in only
    assert reverse("contacts:contact", args=[members[0].public_id]) not in only
    for nonsense in (
        "?after=x",
        "?after=2026-01-01~1",
        "?after=2026-01-01T00:00:00%2B00:00~9999999999999999999",
        "?way=up",
    ):
        body(client, "moves", shanghai, nonsense)


def test_overlap_shares_are_shown_and_regions_become_audiences(shanghai: SavedAudience) -> None:
    client = signed_in()
    china = SavedAudience.objects.get(name="China")
    text = body(client, "overlap", shanghai, f"?with={china.public_id}&with=nonsense")
    assert "60.0%" in text  # six of the ten in China
    assert "only “China”" in text
    tree = {"all": [{"audience": str(china.public_id)}, {"not": {"audience": str(shanghai.public_id)}}]}
    answer = client.get(reverse("audiences:create"), {"tree": json.dumps(tree)})
    assert str(china.public_id) in answer.content.decode()


def test_fields_are_chosen_in_the_address(shanghai: SavedAudience) -> None:
    text = body(signed_in(), "profile", shanghai, "?field=language&field=full_name&field=nothing")
    assert ">Language</h2>" in text
    assert ">Country</h2>" not in text
    assert "Full name" not in text


def test_an_earlier_version_comes_back(shanghai: SavedAudience) -> None:
    saved.audience_update(actor=SYSTEM, audience=shanghai, name="Shanghai", tree=CHINA)
    client = signed_in()
    assert "Restore version 1" in body(client, "definition", shanghai)
    client.post(reverse("audiences:restore", args=[shanghai.public_id, 1]))
    shanghai.refresh_from_db()
    assert shanghai.current == 3
    assert shanghai.versions.get(number=3).tree == SHANGHAI
    assert client.post(reverse("audiences:restore", args=[shanghai.public_id, 99])).status_code == 404


def test_following_is_switched_off_and_on(shanghai: SavedAudience) -> None:
    client = signed_in()
    client.post(reverse("audiences:live", args=[shanghai.public_id]), {"live": "off"})
    assert not state_of(actor=SYSTEM, audience=shanghai).live
    assert "counted on demand" in body(client, "audience", shanghai)
    client.post(reverse("audiences:live", args=[shanghai.public_id]), {"live": "on"})
    assert state_of(actor=SYSTEM, audience=shanghai).live


def test_a_snapshot_is_taken_and_listed(shanghai: SavedAudience) -> None:
    client = signed_in()
    client.post(reverse("audiences:snapshot", args=[shanghai.public_id]), {"name": "Autumn"})
    assert "Autumn" in body(client, "snapshots", shanghai)
    again = client.post(reverse("audiences:snapshot", args=[shanghai.public_id]), {"name": "Autumn"}, follow=True)
    assert "There is already a list of this name." in again.content.decode()
    assert ContactList.objects.count() == 1


def test_overview_searches_sorts_and_acts_on_many(shanghai: SavedAudience) -> None:
    followed(shanghai)
    client = signed_in()
    page = reverse("audiences:index")
    client.get(page)
    with asked(at_most=11):
        text = client.get(page, {"q": "shang"}).content.decode()
    assert "Shanghai" in text
    assert "Germany" not in text
    by_size = client.get(page, {"order": "-size"}).content.decode()
    names = [f'">{name}</a>' for name in ("China", "Germany", "Shanghai")]
    assert by_size.index(names[2]) > max(by_size.index(names[0]), by_size.index(names[1]))
    wanted = [str(row.public_id) for row in SavedAudience.objects.exclude(name="Shanghai")]
    saved.audience_create(actor=SYSTEM, name="Outer", tree={"audience": wanted[0]})
    answer = client.post(reverse("audiences:bulk"), {"act": "delete", "ids": [*wanted, "nonsense"]}, follow=True)
    told = answer.content.decode()
    assert "Done for 1 audience" in told
    assert "Not possible for" in told
    assert client.post(reverse("audiences:bulk"), {"act": "nothing", "ids": wanted}).status_code == 302


def test_who_only_looks_changes_nothing(shanghai: SavedAudience) -> None:
    client = signed_in(Role.ANALYST)
    for tab in TABS:
        body(client, tab, shanghai)
    refused = [
        client.post(reverse("audiences:bulk"), {"act": "delete", "ids": [str(shanghai.public_id)]}),
        client.post(reverse("audiences:restore", args=[shanghai.public_id, 1])),
        client.post(reverse("audiences:live", args=[shanghai.public_id]), {"live": "off"}),
        client.post(reverse("audiences:snapshot", args=[shanghai.public_id])),
    ]
    assert [answer.status_code for answer in refused] == [403] * 4


def test_names_and_addresses_stay_masked_for_marketers(shanghai: SavedAudience) -> None:
    from hongyan.contacts.services import contact_create
    from hongyan.contacts.types import ContactValues

    values = ContactValues({"full_name": "Wang Xiaoming", "email": "xiaoming@shop.example", "city": "上海"})
    made = contact_create(actor=SYSTEM, values=values, source="test")
    now = clock.now()
    MemberMove.objects.create(audience=shanghai, contact_id=made.pk, entered=True, at=now, kind="event", cause="x")
    for tab in ("some", "moves"):
        assert "xiaoming@shop.example" not in body(signed_in(), tab, shanghai)
        assert "xiaoming@shop.example" in body(signed_in(Role.SALES), tab, shanghai)
