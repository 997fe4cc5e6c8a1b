"""Loyalty cards of the demo shop: a kind of custom objects, held by part of the buyers."""

import random
from datetime import datetime, timedelta

from hongyan.accounts.types import Actor
from hongyan.config.demo.contacts import Loaded
from hongyan.contacts.models_objects import ObjectType
from hongyan.contacts.objects import ObjectIn, objects_upsert
from hongyan.contacts.objects_types import object_type_create
from hongyan.core.batching import batched

KEY = "loyalty_card"
_SEED = 20261123
_LEVELS = (("gold", "金卡", "Gold", 100_000), ("silver", "银卡", "Silver", 30_000), ("green", "青卡", "Green", 0))
_FIELDS = (
    {"key": "level", "label_zh": "等级", "label_en": "Level", "type": "choice",
     "options": [{"value": key, "label_zh": zh, "label_en": en} for key, zh, en, _spent in _LEVELS]},
    {"key": "points", "label_zh": "积分", "label_en": "Points", "type": "number"},
    {"key": "since", "label_zh": "办卡日期", "label_en": "Since", "type": "date"},
    {"key": "expires_on", "label_zh": "到期日", "label_en": "Expires on", "type": "date"},
)  # fmt: skip


def cards_make(loaded: Loaded, *, actor: Actor, now: datetime) -> int:
    """Two of three buyers hold one, for a year from an order of theirs. Returns how many."""
    if not ObjectType.objects.filter(key=KEY).exists():
        object_type_create(
            actor=actor, key=KEY, label_zh="会员卡", label_en="Loyalty card", fields=_FIELDS, icon="credit-card"
        )
    dice = random.Random(_SEED)
    cards = []
    for number, (contact_id, history) in enumerate(loaded.buyers):
        if dice.random() > 0.66:
            continue
        since = max(history.orders[0].at, now - timedelta(days=360 - dice.randrange(340)))
        level = next(key for key, _zh, _en, spent in _LEVELS if history.spent_minor >= spent)
        values = {
            "level": level,
            "points": history.spent_minor // 100,
            "since": since.date().isoformat(),
            "expires_on": (since + timedelta(days=365)).date().isoformat(),
        }
        cards.append(ObjectIn(f"card-{number:06d}", contact_id, values))
    for block in batched(cards, 500):
        objects_upsert(actor=actor, type_key=KEY, rows=block, source="demo", at=now)
    return len(cards)
