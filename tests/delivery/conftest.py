from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.conf import LazySettings
from django.db import connections

from hongyan.core.crypto.keyring import forget_keyring


@pytest.fixture(autouse=True)
def _fresh_keys(settings: LazySettings) -> Iterator[None]:
    """The key ring belongs to the database; the disk of the test machine is none of these tests' business."""
    settings.HONGYAN_MIN_FREE_MB = 0
    forget_keyring()
    yield
    forget_keyring()


@pytest_asyncio.fixture
async def outbox(transactional_db: None) -> AsyncIterator[None]:
    """Committed rows, because workers look with their own connections."""
    yield

    def clear() -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("TRUNCATE delivery_message, delivery_claim, events_event, events_dedupe")
        connections.close_all()  # of the thread that async tests share

    await sync_to_async(clear)()
