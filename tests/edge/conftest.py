from dataclasses import dataclass

import pytest
from django.db import connection

from hongyan.contacts.models import Contact
from hongyan.core import clock
from hongyan.delivery.links import message_token
from hongyan.delivery.models import Message
from hongyan.delivery.outbox import dispatch
from hongyan.delivery.types import MessageKey, MessageState, Origin
from tests.delivery import factory


@dataclass
class SentMail:
    contact: Contact
    message: Message
    token: str


@pytest.fixture
def database(db: None) -> None:
    """Asynchronous tests ask for real transactions instead."""


@pytest.fixture
def sent(database: None) -> SentMail:
    """A promotion that Wang Wei got an hour ago."""
    person = factory.contact(email="wang.wei@example.com", full_name="王伟")
    version = factory.content()
    origin = Origin.starting("campaign", 7)
    dispatch(
        origin=origin,
        content_version_id=version.pk,
        sender_id=factory.sender().pk,
        topic_id=factory.topic().pk,
        members=factory.everybody(),
        due_at=clock.now(),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE delivery_message SET state = %s, finished_at = now() - interval '1 hour'", [MessageState.SENT.value]
        )
    message = Message.objects.get()
    return SentMail(person, message, message_token(MessageKey(message.pk, message.month)))
