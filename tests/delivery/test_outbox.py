"""Dispatch adds everybody once, counts are exact, holds and resolutions do what they say."""

from datetime import UTC, date, datetime

import pytest
from django.conf import LazySettings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import IntegrityError, connection, transaction

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.types import contact_actor
from hongyan.audit.models import AuditEntry
from hongyan.core import clock
from hongyan.core.sql import SQL
from hongyan.delivery import privacy, selectors, services
from hongyan.delivery.errors import LinkRefused, LowDisk, OriginCancelled, UnknownSender
from hongyan.delivery.links import (
    MessageLinks,
    read_dynamic_token,
    read_message_id_header,
    read_message_token,
)
from hongyan.delivery.models import DirectContent, Message, OriginHold
from hongyan.delivery.retention import drop_old
from hongyan.delivery.senders import SenderRefused
from hongyan.delivery.types import MessageKey, MessageState, Origin
from hongyan.events.models import Event
from tests.delivery import factory

pytestmark = pytest.mark.django_db
ORIGIN = Origin("campaign", 5, date(2026, 11, 1))


def dispatch(people: int = 3, members: SQL | None = None) -> int:
    for _ in range(people):
        factory.contact()
    sender = selectors.senders()[0] if selectors.senders() else factory.sender()
    return services.dispatch(
        origin=ORIGIN, content_version_id=1, sender_id=sender.pk, topic_id=None,
        members=members or factory.everybody(), due_at=clock.now(),
    )  # fmt: skip


def test_a_repeat_adds_only_who_is_new() -> None:
    assert dispatch(3) == 3
    assert dispatch(2) == 2
    assert dispatch(0) == 0
    assert selectors.progress(ORIGIN).states == {MessageState.QUEUED: 5}


def test_somebody_twice_among_the_members_gets_one_mail() -> None:
    twice = SQL("SELECT id FROM contacts_contact UNION ALL SELECT id FROM contacts_contact")
    assert dispatch(3, twice) == 3


def test_once_per_person_is_a_constraint_of_the_table() -> None:
    dispatch(1)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO delivery_message (month, origin_kind, origin_id, contact_id, sender_id, priority, due_at)"
            " SELECT month, origin_kind, origin_id, contact_id, sender_id, priority, due_at FROM delivery_message"
        )


def test_dispatch_is_refused_where_it_must_be(settings) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    with pytest.raises(UnknownSender):
        services.dispatch(
            origin=ORIGIN, content_version_id=1, sender_id=999, topic_id=None, members=factory.everybody(),
            due_at=clock.now(),
        )  # fmt: skip
    factory.sender()
    services.cancel(actor=factory.ACTOR, origin=ORIGIN)
    with pytest.raises(OriginCancelled):
        dispatch(0)
    settings.HONGYAN_MIN_FREE_MB = 2**31
    with pytest.raises(LowDisk):
        dispatch(0)


def test_holds_are_records_and_cancelling_is_for_good() -> None:
    dispatch(3)
    services.pause(actor=factory.ACTOR, origin=ORIGIN)
    services.pause(actor=factory.ACTOR, origin=ORIGIN)
    assert selectors.held(ORIGIN) == "pause"
    services.resume(actor=factory.ACTOR, origin=ORIGIN)
    services.resume(actor=factory.ACTOR, origin=ORIGIN)
    assert selectors.held(ORIGIN) is None
    assert services.cancel(actor=factory.ACTOR, origin=ORIGIN) == 3
    assert services.cancel(actor=factory.ACTOR, origin=ORIGIN) == 0
    for act in (services.pause, services.resume):
        with pytest.raises(OriginCancelled):
            act(actor=factory.ACTOR, origin=ORIGIN)
    assert OriginHold.objects.count() == 2
    with pytest.raises(PermissionRefused):
        services.pause(actor=contact_actor(), origin=ORIGIN)


def test_recipients_are_paged_by_outcome() -> None:
    dispatch(5)
    some = list(Message.objects.order_by("contact_id").values_list("contact_id", flat=True))[1:4]
    Message.objects.filter(contact_id__in=some).update(state=MessageState.BOUNCED, reason="null_mx", wake_at=None)
    first = selectors.recipients(actor=factory.ACTOR, origin=ORIGIN, states=[MessageState.BOUNCED], limit=2)
    rest = selectors.recipients(
        actor=factory.ACTOR, origin=ORIGIN, reason="null_mx", after=first[-1].contact_id, limit=2
    )
    assert [row.contact_id for row in [*first, *rest]] == some
    found = selectors.progress(ORIGIN)
    assert found.reasons == {(MessageState.BOUNCED, "null_mx"): 3}
    assert (found.waiting, found.finished) == (2, False)


@pytest.mark.parametrize(
    ("resolution", "state", "events"),
    [("sent", MessageState.SENT, 1), ("failed", MessageState.FAILED, 0), ("resend", MessageState.QUEUED, 0)],
)
def test_uncertain_is_settled_by_a_person(resolution: str, state: MessageState, events: int) -> None:
    dispatch(2)
    row = Message.objects.order_by("id")[0]
    Message.objects.filter(id=row.id).update(state=MessageState.UNCERTAIN, wake_at=None)
    keys = [MessageKey(found.id, found.month) for found in Message.objects.all()]
    settled = services.uncertain_resolve(actor=factory.ACTOR, messages=keys, resolution=services.Resolution(resolution))
    assert settled == 1
    assert Message.objects.get(id=row.id).state == state
    assert (Message.objects.get(id=row.id).wake_at is not None) == (resolution == "resend")
    assert Event.objects.count() == events


def test_a_later_open_proves_that_it_was_sent() -> None:
    dispatch(1)
    row = Message.objects.get()
    key = MessageKey(row.id, row.month)
    assert services.uncertain_proved_sent([key]) == 0
    Message.objects.update(state=MessageState.UNCERTAIN, wake_at=None)
    assert services.uncertain_proved_sent([key]) == 1
    assert services.uncertain_proved_sent([key]) == 0
    facts = selectors.message_facts([key, MessageKey(row.id + 1, row.month)])
    assert facts[key].state is MessageState.SENT
    assert facts[key].origin == ORIGIN
    assert len(facts) == 1


def test_erasure_cuts_the_tie_and_stops_what_waits() -> None:
    dispatch(2)
    row = Message.objects.order_by("id")[0]
    assert row.contact_id is not None
    assert len(list(privacy.export(actor=factory.ACTOR, contact_id=row.contact_id))) == 1
    assert privacy.erase(contact_id=row.contact_id) == 1
    gone = Message.objects.get(id=row.id)
    assert (gone.contact_id, gone.state, gone.wake_at) == (None, MessageState.REFUSED, None)
    assert selectors.progress(ORIGIN).total == 2


def test_staff_mail_goes_through_the_outbox_sealed() -> None:
    backend = get_connection("hongyan.delivery.staff_mail.StaffMailBackend")
    mail = EmailMultiAlternatives("重置密码", "secret-link", to=["Admin <admin@example.com>", "b@example.com"])
    mail.attach_alternative("<p>secret-link</p>", "text/html")
    assert backend.send_messages([mail]) == 1
    assert Message.objects.filter(origin_kind="staff", transactional=True, priority=0).count() == 2
    for stored in DirectContent.objects.all():
        assert b"secret" not in bytes(stored.sealed)
        assert b"example.com" not in bytes(stored.sealed)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("from_email", "someone@gmail.com"), ("from_email", "nonsense"), ("from_email", "用户@example.com"),
        ("from_name", "a@b.test"), ("from_name", "x\u202ey"), ("from_name", ""), ("reply_to", "x"),
        ("postal_address", " "), ("company_name", ""),
    ],
)  # fmt: skip
def test_senders_that_would_harm_are_refused(field: str, value: str) -> None:
    with pytest.raises(SenderRefused) as refusal:
        factory.sender(**{field: value})
    assert refusal.value.field == field


def test_links_open_only_what_they_were_made_for() -> None:
    key = MessageKey(2**40, date(2026, 11, 1))
    links = MessageLinks(key, base_url="https://x.test", tracks_clicks=True, tracks_opens=False)
    token = links.unsubscribe_url().rpartition("/")[2]
    assert len(token) == 31
    assert read_message_token(token) == key
    assert links.open_pixel_url() is None
    url = "https://shop.example.com/?q=茶&x=1"
    dynamic = links.dynamic_click_url(url).rpartition("/")[2]
    assert read_dynamic_token(dynamic) == (key, url)
    assert links.dynamic_click_url("https://x.test/" + "a" * 3000).startswith("https://x.test/a")
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "E"), "", "é", token * 30, dynamic):
        with pytest.raises(LinkRefused):
            read_message_token(wrong)
    with pytest.raises(LinkRefused):  # what stands in a header opens no page, and the other way round
        read_message_id_header(f"<{token}@x.test>")


def test_an_origin_keeps_the_month_it_began_in() -> None:
    assert Origin.starting("campaign", 1, datetime(2026, 11, 30, 23, 0, tzinfo=UTC)).month == date(2026, 11, 1)
    for bad in ({"kind": "Campaign"}, {"month": date(2026, 11, 2)}):
        with pytest.raises(ValueError, match="origin"):
            Origin(**{"kind": "campaign", "id": 1, "month": date(2026, 11, 1), **bad})  # type: ignore[arg-type]


def test_old_months_of_the_send_log_go_and_are_on_record(settings: LazySettings) -> None:
    settings.HONGYAN_OUTBOX_KEEP_MONTHS = 12
    person, sender = factory.contact(), factory.sender()
    months = {"old": date(2025, 9, 1), "waits": date(2025, 8, 1), "active": date(2025, 7, 1), "kept": date(2025, 11, 1)}
    for number, month in enumerate(months.values()):
        services.dispatch(
            origin=Origin("campaign", number, month), content_version_id=1, sender_id=sender.pk, topic_id=None,
            members=SQL(f"SELECT {person.pk}::bigint AS id"), due_at=clock.now(),
        )  # fmt: skip
    long_ago = datetime(2025, 9, 5, tzinfo=UTC)
    finished = {"created_at": long_ago, "finished_at": long_ago, "state": MessageState.SENT, "wake_at": None}
    Message.objects.update(**finished)
    Message.objects.filter(month=months["waits"]).update(state=MessageState.UNCERTAIN)
    Message.objects.filter(month=months["active"]).update(finished_at=datetime(2026, 11, 1, tzinfo=UTC))
    with clock.freeze(datetime(2026, 11, 22, tzinfo=UTC)):
        assert drop_old() == {"delivery_message_2025_09": 1}
        assert drop_old() == {}
    assert set(Message.objects.values_list("month", flat=True)) == set(months.values()) - {months["old"]}
    entry = AuditEntry.objects.get(action="delivery.month_dropped")
    assert (entry.subject_id, entry.data) == ("2025-09", {"messages": 1})
