"""Generated facts as rows of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from django.db import transaction

from hongyan.audience.compiler.catalogue import Catalogue, ListSpec, TagGroupSpec
from hongyan.audience.compiler.evaluate import Facts
from hongyan.audience.models import ContactList, ContactTag, ListMember
from hongyan.commerce.models import ContactFacts
from hongyan.contacts.models import Company, ConsentState, Contact, ObjectRecord, ObjectType, Topic
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from tests.audience.catalogue import LIST_ID, PET, small_catalogue
from tests.audience.factory import NOW, group, tag
from tests.audience.generate import EVENTS, SHANGHAI, Moment


@contextmanager
def world(everybody: list[Facts], moment: Moment = SHANGHAI) -> Iterator[tuple[Catalogue, list[int]]]:
    """The facts as rows, in a transaction that is taken back."""
    with transaction.atomic():
        yield _write(everybody, moment)
        transaction.set_rollback(True)


def _write(everybody: list[Facts], moment: Moment) -> tuple[Catalogue, list[int]]:
    in_group = group("value")
    tags = {1: tag("vip", in_group), 2: tag("new", in_group)}
    made = ContactList.objects.create(name="Fair 2026")
    topic, _ = Topic.objects.get_or_create(key="promotion", defaults={"name_zh": "促销", "name_en": "Promotion"})
    kind = ObjectType.objects.create(key="pet", label_zh="宠物", label_en="Pet")
    base = small_catalogue()
    catalogue = small_catalogue(
        tags={key: type(spec)(tags[spec.id].pk, key, spec.label) for key, spec in base.tags.items()},
        tag_groups={"value": TagGroupSpec("value", base.tag_groups["value"].label, tuple(t.pk for t in tags.values()))},
        lists={LIST_ID: ListSpec(made.pk, LIST_ID, "Fair 2026")},
        topic_ids={"promotion": topic.pk},
        objects={"pet": replace(PET, id=kind.pk)},
        zone=moment.zone,
    )
    ids = []
    for facts in everybody:
        contact = Contact.objects.create(
            **facts.columns, attributes=dict(facts.attributes), filled=sorted(facts.filled)
        )
        ids.append(contact.pk)
        _relate(contact, facts)
        for number in facts.tag_ids:
            ContactTag.objects.create(contact=contact, tag=tags[number], group=in_group, source="test", at=NOW)
        for _number in facts.list_ids:
            ListMember.objects.create(contact=contact, list=made, source="test", at=NOW)
        for (channel, about), state in facts.consents.items():
            ConsentState.objects.create(
                contact=contact, channel=channel, topic=topic if about else None, state=state, since=NOW
            )
        append([NewEvent(contact.pk, e.name, e.at, "test", dict(e.properties)) for e in facts.events])
        ObjectRecord.objects.bulk_create(
            ObjectRecord(
                type=kind,
                external_id=f"{contact.pk}-{place}",
                contact=contact,
                attributes=dict(thing.attributes),
                filled=sorted(thing.filled),
                source="test",
                created_at=NOW,
                updated_at=NOW,
            )
            for place, thing in enumerate(facts.things)
        )
    # An event of somebody erased belongs to nobody and must change nothing.
    append([NewEvent(None, name, moment.now, "test", {"x": 1}) for name in EVENTS])
    return catalogue, ids


def _relate(contact: Contact, facts: Facts) -> None:
    if "orders.count" in facts.related:
        total = int(facts.related["orders.total"] * 100)
        ContactFacts.objects.create(
            contact=contact,
            orders=facts.related["orders.count"],
            currency="CNY",
            total_minor=total,
            average_minor=total,
            per_currency={},
            last_at=facts.related["orders.last_at"],
        )
    if "company.name" in facts.related:
        name = facts.related["company.name"]
        contact.company = Company.objects.create(name=name, name_key=name)
        contact.save()


def renumbered(facts: Facts, catalogue: Catalogue) -> Facts:
    """The evaluator sees the ids the database gave."""
    numbers = {1: catalogue.tags["vip"].id, 2: catalogue.tags["new"].id}
    tag_ids = frozenset(numbers[number] for number in facts.tag_ids)
    list_ids = frozenset(catalogue.lists[LIST_ID].id for _ in facts.list_ids)
    return replace(facts, tag_ids=tag_ids, list_ids=list_ids)
