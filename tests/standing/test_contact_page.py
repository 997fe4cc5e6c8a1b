"""Where a person stands, on their page and along their time."""

import pytest
from django.test import Client
from django.urls import reverse

from hongyan.accounts.permissions import Role
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.standing.rfm import rfm_refresh
from hongyan.audience.standing.stages import stages_refresh, stages_renew
from hongyan.audience.tagging.applying import rules_refresh, rules_renew
from hongyan.audience.tagging.rules import rule_draft, rules_publish
from hongyan.contacts.models import Contact
from hongyan.core import clock
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from tests.audience.factory import SYSTEM, group, tag
from tests.browser import staff
from tests.standing.factory import customer

pytestmark = pytest.mark.django_db


def test_stage_tier_and_moves_are_shown() -> None:
    someone = Contact.objects.create(city="北京")
    here = tag("here", group(), name_en="Here", name_zh="这里")
    rule_draft(actor=SYSTEM, tag=here, tree={"field": "city", "op": "=", "value": "上海"})
    rules_publish(actor=SYSTEM, group=here.group, tags=[here])
    stages_refresh()
    rules_refresh()
    append([NewEvent(someone.pk, "order_completed", clock.now(), "test")])
    customer(orders=1, total_minor=100, days_ago=0, contact=someone)
    rfm_refresh()
    Contact.objects.filter(pk=someone.pk).update(city="上海")
    stages_renew([someone.pk], catalogue=catalogue_now(), now=clock.now())
    rules_renew([someone.pk], catalogue=catalogue_now(), now=clock.now())
    for language, words in (
        (
            "en",
            ("Conversion", "Lifecycle stage: Awareness → Conversion", "Tag given by a rule: Here", "Decided by a rule"),
        ),
        ("zh-hans", ("转化", "生命周期阶段：认知 → 转化", "规则添加了标签：这里", "由规则决定")),
    ):
        client = Client(HTTP_ACCEPT_LANGUAGE=language)
        client.force_login(staff(Role.MARKETER, language=language))
        page = client.get(reverse("contacts:contact", args=[someone.public_id])).content.decode()
        page += client.get(reverse("contacts:timeline", args=[someone.public_id])).content.decode()
        for word in words:
            assert word in page, word
