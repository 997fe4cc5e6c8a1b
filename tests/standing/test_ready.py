"""Ready segments: right in themselves, readable in both languages, and about the people they name."""

from datetime import UTC, datetime

import pytest

from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.errors import NotFound
from hongyan.audience.models import SavedAudience
from hongyan.audience.ready import READY, ready_save, ready_segment, ready_turn, saved_from_ready
from hongyan.audience.saved import audience_update
from hongyan.audience.segments import check, compile_members, explain, from_text, to_text
from hongyan.audience.selectors import count_sql
from hongyan.contacts.models import ConsentState, Contact, Topic
from hongyan.core import clock
from tests.audience.factory import SYSTEM
from tests.standing.factory import NOW, did

pytestmark = pytest.mark.django_db


def count(key: str) -> int:
    return count_sql(compile_members(ready_segment(key).tree(NOW), now=NOW))


def test_each_is_right_and_says_itself_in_both_languages_and_as_text() -> None:
    catalogue = catalogue_now()
    for segment in READY:
        tree = segment.tree(NOW)
        assert check(tree, catalogue=catalogue) == [], segment.key
        assert explain(tree, "zh-hans", catalogue=catalogue)
        assert explain(tree, "en", catalogue=catalogue)
        assert from_text(to_text(tree), catalogue=catalogue) == tree, segment.key
    assert len({segment.key for segment in READY}) == len(READY)


def test_high_intent_is_looking_again_and_again_without_buying() -> None:
    looks, buys, once = (Contact.objects.create() for _ in range(3))
    for contact in (looks, buys):
        for days in (1, 2, 3):
            did(contact, "product_viewed", days_ago=days)
    did(buys, "order_completed", days_ago=0.5)
    did(once, "product_viewed", days_ago=1)
    assert count("high_intent") == 1


def test_docs_readers_open_nothing_but_the_manual() -> None:
    reader, clicker = Contact.objects.create(), Contact.objects.create()
    for contact in (reader, clicker):
        for days in (5, 9):
            did(contact, "email_sent", days_ago=days)
            did(contact, "page_viewed", days_ago=days, path="/docs/start")
    did(clicker, "email_clicked", days_ago=4)
    did(reader, "page_viewed", days_ago=1, path="/sale")
    assert count("docs_readers") == 1


def test_who_agreed_to_any_topic_is_subscribed() -> None:
    whole, topic, buyer, asked = (Contact.objects.create() for _ in range(4))
    newsletter = Topic.objects.get(key="newsletter")
    for contact, about, state in (
        (whole, None, "given"),
        (topic, newsletter, "given"),
        (buyer, newsletter, "given"),
        (asked, newsletter, "pending"),
    ):
        ConsentState.objects.create(contact=contact, channel="email", topic=about, state=state, since=NOW)
    did(buyer, "order_completed", days_ago=400)
    assert count("never_bought") == 2


def test_saving_gives_an_audience_with_a_free_name() -> None:
    first = ready_save(actor=SYSTEM, key="one_time", language="zh-hans")
    second = ready_save(actor=SYSTEM, key="one_time", language="zh-hans")
    assert (first.name, second.name) == ("只买过一次的客户", "只买过一次的客户 2")
    assert saved_from_ready() == {"one_time": second}
    with pytest.raises(NotFound):
        ready_save(actor=SYSTEM, key="nothing", language="en")


def tree_of(audience: SavedAudience) -> object:
    audience.refresh_from_db()
    return audience.versions.get(number=audience.current).tree


def test_birthdays_move_on_with_the_month_unless_somebody_changed_them() -> None:
    with clock.freeze(datetime(2026, 10, 31, 15, 59, tzinfo=UTC)):  # a minute before November in Shanghai
        kept = ready_save(actor=SYSTEM, key="birthday_month", language="en")
        changed = ready_save(actor=SYSTEM, key="birthday_month", language="en")
        own = {"field": "birth_month", "op": "in", "value": [10, 11]}
        audience_update(actor=SYSTEM, audience=changed, name=changed.name, tree=own)
        assert ready_turn(actor=SYSTEM) == 0
    with clock.freeze(datetime(2026, 10, 31, 16, 0, tzinfo=UTC)):
        assert ready_turn(actor=SYSTEM) == 1
        assert ready_turn(actor=SYSTEM) == 0
    assert tree_of(kept) == {"field": "birth_month", "op": "=", "value": 11}
    assert tree_of(changed) == own
