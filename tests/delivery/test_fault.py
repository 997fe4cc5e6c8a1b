"""Sender processes are really killed (SIGKILL) in the middle of a send: nobody is lost, nobody is mailed twice."""

import asyncio
import os
import random
import re
import subprocess
import sys
from collections import Counter

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from bench.outbox_data import people
from hongyan.core import clock
from hongyan.delivery import services
from hongyan.delivery.models import Claim, Message
from hongyan.delivery.selectors import progress
from hongyan.delivery.types import MessageState, Origin
from hongyan.events.models import Event
from tests.delivery import factory
from tests.delivery.servers import Handler, good_server

pytestmark = [pytest.mark.fault, pytest.mark.usefixtures("outbox"), pytest.mark.django_db(transaction=True)]
# The suite's size; HONGYAN_FAULT_RECIPIENTS=20000 is the full one.
PEOPLE = int(os.environ.get("HONGYAN_FAULT_RECIPIENTS", "3000"))
KILLS, PROCESSES, CONNECTIONS = 4, 2, 8
ORIGIN = Origin.starting("campaign", 1)


def start(port: int) -> subprocess.Popen[bytes]:
    """A sender on the test database."""
    url = re.sub(r"/[^/?]*\?", f"/{connection.settings_dict['NAME']}?", os.environ["HONGYAN_DATABASE_URL"], count=1)
    environment = {**os.environ, "HONGYAN_DATABASE_URL": url}
    command = [sys.executable, "-m", "tests.delivery.sender_process", str(port)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)


async def accepted(handler: Handler, count: int) -> None:
    async with asyncio.timeout(120):
        while len(handler.mails) < count:  # noqa: ASYNC110  the server of this loop fills it
            await asyncio.sleep(0.005)


async def finished() -> None:
    async with asyncio.timeout(120):
        while not (await sync_to_async(progress)(ORIGIN)).finished or await Claim.objects.aexists():  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def prepare() -> None:
    topic_id = people(PEOPLE)
    services.dispatch(
        origin=ORIGIN,
        content_version_id=factory.content().pk,
        sender_id=factory.sender().pk,
        topic_id=topic_id,
        members=factory.everybody(),
        due_at=clock.now(),
    )


async def test_kill_9_loses_nobody_and_mails_nobody_twice() -> None:
    await sync_to_async(prepare)()
    handler, chance = Handler(), random.Random(7)
    async with good_server(handler) as port:
        senders = [start(port) for _ in range(PROCESSES)]
        try:
            for kill in range(KILLS):
                await accepted(handler, int(PEOPLE * (kill + chance.random()) / (KILLS + 1)) + 1)
                victim = senders.pop(0)
                victim.kill()
                victim.wait()
                senders.append(start(port))
            await finished()
        finally:
            for sender in senders:
                sender.kill()
                sender.wait()
    got = Counter(mail.rcpt_tos[0] for mail in handler.mails)
    assert [address for address, times in got.items() if times > 1] == []
    found = await sync_to_async(progress)(ORIGIN)
    assert found.total == PEOPLE
    assert set(found.states) <= {MessageState.SENT, MessageState.UNCERTAIN}
    parked = found.count(MessageState.UNCERTAIN)
    assert found.count(MessageState.SENT) <= len(got) <= PEOPLE
    assert len(got) >= PEOPLE - parked  # whoever got nothing is parked, visibly
    print(  # noqa: T201  the figures of the full size
        f"{PEOPLE:,} recipients, {KILLS} kills: {found.count(MessageState.SENT):,} sent, {parked} uncertain, 0 twice"
    )
    assert parked <= KILLS * CONNECTIONS * 2
    reasons = {row.reason async for row in Message.objects.filter(state=MessageState.UNCERTAIN)}
    assert reasons <= {"worker_died"}
    told = await Event.objects.filter(name="email_sent").acount()
    assert told == found.count(MessageState.SENT)  # each fact once, also those of the dead
