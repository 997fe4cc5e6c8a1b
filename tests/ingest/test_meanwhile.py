"""What an import does when others write the same people at the same moment."""

import threading
from typing import Any

import pytest
from django.db import connection

from hongyan.contacts import bulk
from hongyan.contacts.bulk_copy import InOrder
from hongyan.contacts.models import Contact, Identifier
from hongyan.contacts.services import contact_create
from hongyan.contacts.types import ContactValues
from tests.ingest.factory import ACTOR, run

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 300


def somebody_else_creates(email: str) -> None:
    """In a thread, which has a connection of its own."""

    def create() -> None:
        contact_create(actor=ACTOR, values=ContactValues({"email": email}), source="form")
        connection.close()

    thread = threading.Thread(target=create)
    thread.start()
    thread.join()


def test_a_chunk_is_taken_again_when_a_person_came_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    flush = bulk._Block.flush

    def late(block: Any, order: InOrder) -> None:
        tried.append(len(block.contacts))
        if len(tried) == 1:
            somebody_else_creates("person7@example.com")
        flush(block, order)

    monkeypatch.setattr(bulk._Block, "flush", late)
    lines = [f"person{number}@example.com,Person {number}" for number in range(ROWS)]
    row, counts = run("email,name\n" + "\n".join(lines), topics=["newsletter"])
    assert tried == [ROWS, ROWS - 1]
    assert (counts.created, counts.updated, counts.rows) == (ROWS - 1, 1, ROWS)
    assert Contact.objects.count() == Identifier.objects.count() == ROWS
    assert row.state == "finished"
