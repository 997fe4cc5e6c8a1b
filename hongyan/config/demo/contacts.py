"""The people of the demo: contacts, their consent, orders, tags and lists."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from hongyan.accounts.types import Actor
from hongyan.audience.models import Tag
from hongyan.audience.tagging.tags import tag_contacts
from hongyan.commerce import orders, products
from hongyan.commerce.models import CommerceSettings
from hongyan.config.demo.people import Person, people
from hongyan.config.demo.shop import SOURCE, History, histories, orders_of, products_of
from hongyan.contacts.bulk import upsert
from hongyan.contacts.bulk_consent import Grant
from hongyan.contacts.bulk_rows import ContactRowIn, RowMaker, UpsertPolicy
from hongyan.contacts.models import FieldDefinition, Topic
from hongyan.core import clock
from hongyan.core.batching import batched
from hongyan.core.crypto.keyring import keyring

_BLOCK = 5_000
_JOINED_DAYS, _LATELY_DAYS = 540, 54  # the first campaign went out so long ago
_SEED = 20261122
WORDING = "我同意接收资讯与优惠邮件，并可随时退订。"
FIELDS: tuple[tuple[str, str, str, str], ...] = (
    ("orders", "订单数", "Orders", "number"),
    ("spent", "累计消费（英镑）", "Spent (GBP)", "number"),
    ("last_order", "最近下单", "Last order", "date"),
)
Report = Callable[[int], None]


@dataclass(slots=True)
class Loaded:
    """What later steps build on. buyers: contact id and history. since: when those came who came lately."""

    contact_ids: list[int]
    buyers: list[tuple[int, History]]
    since: dict[int, datetime] = field(default_factory=dict)


def fields_create() -> None:
    for position, (key, label_zh, label_en, kind) in enumerate(FIELDS):
        FieldDefinition.objects.get_or_create(
            key=key, defaults={"label_zh": label_zh, "label_en": label_en, "type": kind, "position": position}
        )


def contacts_create(*, count: int, now: datetime, report: Report, since: Loaded | None = None) -> Loaded:
    """``count`` people, in blocks that each commit; joined over the past year and a half. First those who were there
    before the first of the campaigns; ``since``: then the others, who got none of them and bought nothing yet."""
    dice = random.Random(_SEED + (since is not None))
    bought = histories(now) if since is None else []
    loaded = since or Loaded([], [])
    topics = dict(Topic.objects.values_list("key", "id"))
    grants = (
        Grant((topics["newsletter"], topics["promotion"], topics["greeting"]), WORDING, "demo-1", "demo"),
        Grant((topics["newsletter"],), WORDING, "demo-1", "demo"),
        Grant((), "", "", "demo"),
    )
    lately = count - count * _LATELY_DAYS // _JOINED_DAYS
    wanted = (person for person in people(count=count) if (person.number >= lately) is (since is not None))
    # So many that the last of them came within a month.
    for block in batched(wanted, max(50, min(_BLOCK, count // 40))):
        at = now - timedelta(days=_JOINED_DAYS * (1 - block[0].number / max(count, 1)))
        maker = RowMaker(keyring().blind, "demo", at, is_demo=True)
        parts: dict[int, list[ContactRowIn]] = {0: [], 2: [], 1: []}  # written in this order: the list begins mixed
        for person in block:
            history = bought[person.number] if person.number < len(bought) else None
            parts[dice.choices((0, 1, 2), (72, 16, 12))[0]].append(_row(maker, person, history))
        with transaction.atomic():
            for choice, rows in parts.items():
                outcomes = upsert(
                    rows,
                    policy=UpsertPolicy.UPDATE,
                    match_on="email",
                    maker=maker,
                    connection=connection,
                    consent=grants[choice],
                )
                came = [outcome.contact_id for outcome in outcomes]
                _note(loaded, rows, came, bought)
                if since is not None:
                    loaded.since |= {contact_id: at for contact_id in came if contact_id is not None}
        report(len(block))
    return loaded


def orders_create(loaded: Loaded, *, actor: Actor, report: Report) -> int:
    """The buyers' orders, with their products, events and sums. Returns how many."""
    CommerceSettings.objects.get_or_create(pk=1, defaults={"currency": "CNY", "rates": {"GBP": "9.1"}})
    for goods in batched(products_of(history for _contact, history in loaded.buyers), 1_000):
        products.upsert(actor=actor, source=SOURCE, products=goods, is_demo=True)
    done = 0
    for block in batched(loaded.buyers, 100):
        given = [order for contact_id, history in block for order in orders_of(history, contact_id=contact_id)]
        for part in batched(given, 1_000):
            orders.upsert(actor=actor, source=SOURCE, orders=part, is_demo=True, by="demo")
        done += len(block)
        report(done)
    return done


def tags_attach(loaded: Loaded, *, actor: Actor, now: datetime) -> None:
    """The value group by what each buyer spent and when; interests drawn for part of the others."""
    by_key: dict[str, list[int]] = {key: [] for key in ("vip", "loyal", "new", "asleep")}
    for contact_id, history in loaded.buyers:
        by_key[_value_tag(history, now)].append(contact_id)
    dice = random.Random(_SEED + 1)
    for key in ("home", "kitchen", "stationery", "christmas"):
        by_key[key] = [contact_id for contact_id in loaded.contact_ids if dice.random() < 0.18]
    for key, contact_ids in by_key.items():
        tag = Tag.objects.get(key=key)
        for block in batched(contact_ids, 10_000):
            tag_contacts(actor=actor, tag=tag, contact_ids=block, source="demo")


def _value_tag(history: History, now: datetime) -> str:
    if now - history.last > timedelta(days=120):
        return "asleep"
    if history.spent_minor > 150_000:
        return "vip"
    return "loyal" if history.count >= 3 else "new"


def _row(maker: RowMaker, person: Person, history: History | None) -> ContactRowIn:
    identity: dict[str, Any] = {
        "given_name": person.given_name,
        "family_name": person.family_name,
        "full_name": person.full_name,
        "email": person.email,
        "phone": person.phone,
        "street": person.street,
        "postal_code": person.postal_code,
        "birth_date": person.birth_date.isoformat() if person.birth_date else "",
        "company": person.company,
    }
    plain = {
        "sex": person.sex,
        "language": person.language,
        "country": person.country,
        "region": person.region,
        "city": person.city,
        "time_zone": person.time_zone,
    }
    attributes: dict[str, Any] = {}
    if history is not None:
        attributes |= {
            "orders": history.count,
            "spent": round(history.spent_minor / 100, 2),
            "last_order": history.last.date().isoformat(),
        }
    return maker.contact_row(
        ref=person.number,
        identity={key: value for key, value in identity.items() if value},
        plain=plain,
        attributes=attributes,
    )


def _note(
    loaded: Loaded, rows: Sequence[ContactRowIn], contact_ids: Sequence[int | None], bought: Sequence[History]
) -> None:
    for row, contact_id in zip(rows, contact_ids, strict=True):
        if contact_id is None:
            continue
        loaded.contact_ids.append(contact_id)
        if row.ref < len(bought):
            loaded.buyers.append((contact_id, bought[row.ref]))


def last_activity_set(loaded: Loaded) -> None:
    """The time of the last order, so that lists can be sorted by it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_contact c SET last_activity_at = t.at "
            "FROM unnest(%s::bigint[], %s::timestamptz[]) AS t(id, at) WHERE c.id = t.id",
            [[contact_id for contact_id, _ in loaded.buyers], [history.last for _, history in loaded.buyers]],
        )


def today() -> datetime:
    return clock.now().replace(minute=0, second=0, microsecond=0)
