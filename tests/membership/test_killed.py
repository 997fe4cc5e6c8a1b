"""A worker killed at any instant, in the middle of passes and fillings: nothing is lost, nobody moves twice."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection

from hongyan.audience.membership.lane import Lane, settle
from hongyan.audience.membership.types import ENTERED, LEFT
from hongyan.audience.models import Following, MemberDay, MemberMove, SavedAudience
from hongyan.events.models import Event
from tests.audience.factory import people
from tests.membership.factory import audience, check_all, happen, members

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
KILLS = 3


def worker() -> subprocess.Popen[bytes]:
    name = str(connection.settings_dict["NAME"])
    environment = {**os.environ, "HONGYAN_TEST_DATABASE_NAME": name, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.membership.lane_process"], env=environment, cwd=Path(__file__).parents[2]
    )


def begun(process: subprocess.Popen[bytes], before: int) -> None:
    """Until it has passed something."""
    until = time.monotonic() + 60
    while MemberMove.objects.count() == before and time.monotonic() < until:
        assert process.poll() is None, "the lane died by itself"
        time.sleep(0.01)


def test_killed_again_and_again_everybody_moves_once() -> None:
    dice = random.Random(11)
    everybody = people(60)
    readers = audience("Readers", {"event": "email_opened", "op": "=", "count": 1})
    buyers = audience("Buyers", {"all": [{"event": "order_completed"}, {"audience": str(readers.public_id)}]})
    settle()
    for _ in range(KILLS):
        process = worker()
        before = MemberMove.objects.count()
        for _ in range(40):
            happen(dice.choice(everybody).pk, dice.choice(["email_opened", "order_completed", "email_opened"]))
        begun(process, before)
        time.sleep(dice.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    settle(Lane())
    check_all()
    for one in (readers, buyers):
        told_once(one)


def told_once(one: SavedAudience) -> None:
    """Members, moves, days and events tell one tale."""
    told = Event.objects.filter(name__in=[ENTERED, LEFT], properties__audience=str(one.public_id)).order_by("id")
    stories: dict[int | None, list[str]] = {}
    for contact, name in told.values_list("contact_id", "name"):
        stories.setdefault(contact, []).append(name)
    for story in stories.values():
        assert story == [ENTERED, LEFT] * (len(story) // 2) + [ENTERED] * (len(story) % 2)
    assert {contact for contact, story in stories.items() if len(story) % 2} == members(one)
    moves = Counter(MemberMove.objects.filter(audience=one).values_list("entered", flat=True))
    days = MemberDay.objects.filter(audience=one)
    assert moves[True] == sum(day.entered for day in days) == sum(story.count(ENTERED) for story in stories.values())
    assert moves[False] == sum(day.left for day in days) == sum(story.count(LEFT) for story in stories.values())


def test_killed_while_filling_begins_again_without_telling() -> None:
    people(3_000, city="A")
    made = audience("A", {"field": "city", "op": "=", "value": "A"})
    process = worker()
    until = time.monotonic() + 60
    while not Following.objects.filter(audience=made).exists() and time.monotonic() < until:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    settle(Lane())
    check_all()
    assert len(members(made)) == 3_000
    assert not Event.objects.filter(name=ENTERED).exists()
    assert Following.objects.get(audience=made).state == Following.State.CURRENT
