"""What laws about merging share."""

from typing import Any

import pytest

from hongyan.audience.lists import list_create
from hongyan.audience.models import Tag, TagGroup
from tests.delivery import factory
from tests.identity.people import ACTOR


@pytest.fixture
def world(db: None) -> dict[str, Any]:
    group = TagGroup.objects.create(key="tier", name_zh="等级", exclusive=True)
    free = TagGroup.objects.create(key="free", name_zh="自由")
    for key in ("gold", "silver"):
        Tag.objects.create(key=key, name_zh=key, group=group)
    Tag.objects.create(key="vip", name_zh="vip", group=free)
    return {
        "list": list_create(actor=ACTOR, name="会员"),
        "content": factory.content().pk,
        "sender": factory.sender().pk,
    }
