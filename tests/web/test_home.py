"""What the home page says."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import translation

from hongyan.accounts.permissions import ROLE_PERMISSIONS, Role
from hongyan.accounts.types import Actor
from hongyan.analytics.rates import rate
from hongyan.campaigns.selectors import Attention, FirstSteps
from hongyan.ingest.models import Import
from hongyan.ingest.types import ImportState
from hongyan.web.home import board
from tests.browser import staff


def result_row(name: str, clicked: int, delivered: int = 1000) -> board.ResultRow:
    return board.ResultRow(
        name=name,
        url="",
        state="finished",
        started_at=None,
        total=delivered,
        delivered=delivered,
        opened=rate(clicked, delivered),
        clicked=rate(clicked, delivered),
    )


@pytest.mark.parametrize(
    ("kind", "count", "words"),
    [
        ("approve", None, "waits for your approval"),
        ("paused", 1, "is paused, 1 mail still to send"),
        ("paused", 12_345, "is paused, 12,345 mails still to send"),
        ("uncertain", 69, "69 mails may or may not have arrived"),
        ("sending", 48_201, "is going out to 48,201 people"),
        ("failed", None, "stopped with an error"),
        ("scheduled", None, "goes out soon"),
    ],
)
def test_every_kind_of_attention_is_a_sentence(kind: str, count: int | None, words: str) -> None:
    entry = Attention(kind, uuid4(), "Spring", datetime(2026, 11, 22, tzinfo=UTC), count)
    with translation.override("en"):
        item = board._campaign_item(entry)
    assert item.why == words
    assert item.act


def test_request_for_changes_is_quoted() -> None:
    entry = Attention("changes_requested", uuid4(), "Spring", datetime(2026, 11, 22, tzinfo=UTC), note="Wrong price")
    with translation.override("en"):
        assert board._campaign_item(entry).why == "came back with a request: Wrong price"


def test_first_open_step_is_the_current_one() -> None:
    state = FirstSteps(has_campaign=True, has_audience=True, has_content=False, has_sent=False, draft=uuid4())
    steps = board._mark_current(board._steps(state))
    assert [step.done for step in steps] == [True, True, False, False, False]
    assert [step.current for step in steps] == [False, False, True, False, False]


def test_two_campaigns_are_no_trend() -> None:
    assert board.trend([result_row("b", 5), result_row("a", 4)]) is None


def test_trend_runs_from_old_to_new_with_intervals() -> None:
    drawn = board.trend([result_row("c", 60), result_row("nobody", 0, 0), result_row("b", 50), result_row("a", 40)])
    assert drawn is not None
    assert drawn["categories"] == ["a", "b", "c"]
    clicked = drawn["series"][1]
    assert clicked["values"] == [0.04, 0.05, 0.06]
    assert all(
        low < value < high for low, value, high in zip(clicked["low"], clicked["values"], clicked["high"], strict=True)
    )


@pytest.mark.django_db
def test_import_with_rejected_rows_waits_for_its_owner_only() -> None:
    owner, colleague = staff(Role.MARKETER, language="en"), staff(Role.MARKETER, language="en")
    Import.objects.create(
        file_name="spring.csv",
        size=1,
        sha256=b"x" * 32,
        state=ImportState.FINISHED,
        counts={"rejected": 7},
        owner=owner,
    )

    def page(user: object) -> str:
        client = Client()
        client.force_login(user)  # type: ignore[arg-type]
        return client.get("/").content.decode()

    assert "7 rows were rejected" in page(owner)
    assert "spring.csv" not in page(colleague)


@pytest.mark.django_db
def test_guide_is_for_those_who_prepare_campaigns() -> None:
    def steps(role: Role) -> list[board.Step]:
        return board.first_steps(Actor(kind="user", id=1, label="x", permissions=ROLE_PERMISSIONS[role]))

    assert len(steps(Role.MARKETER)) == 5
    assert steps(Role.ANALYST) == []


@pytest.mark.django_db
def test_home_asks_the_database_little(django_assert_max_num_queries: object) -> None:
    client = Client()
    client.force_login(staff(Role.ADMINISTRATOR, language="en"))
    client.get("/")
    with django_assert_max_num_queries(15):  # type: ignore[operator]
        assert client.get("/").status_code == 200
