"""Records with lives of all kinds, for laws: consents, tags, lists, facts, mails, requests."""

from datetime import timedelta
from typing import Any

from hypothesis import Phase
from hypothesis import strategies as st

from hongyan.audience.lists import list_add
from hongyan.audience.models import Tag
from hongyan.audience.tagging.tags import tag_contacts
from hongyan.audience.types import OnOtherTag
from hongyan.contacts.models import ConfirmationRequest, Contact
from hongyan.contacts.suppression import suppress
from hongyan.contacts.types import ConsentAction, SuppressionReason
from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import SQL
from hongyan.delivery.models import Message
from hongyan.delivery.outbox import dispatch
from hongyan.delivery.types import MessageState, Origin
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from tests.identity.people import ACTOR, START, consent, person, topic_id

NAMES = ["王小明", "单雄信", "Ada Lovelace", ""]
values = st.fixed_dictionaries(
    {},
    optional={
        "full_name": st.sampled_from(NAMES),
        "phone": st.sampled_from(["+8613800138000", "+8613900139000"]),
        "city": st.sampled_from(["上海", "Leeds"]),
        "street": st.sampled_from(["南京路 1 号", "Park Row 7"]),
        "country": st.sampled_from(["CN", "FR"]),
        "sex": st.sampled_from(["1", "2"]),
        "birth_date": st.sampled_from(["1990-01-02", "1971-12-31"]),
        "notes": st.sampled_from(["早上好联系", "likes tea"]),
        "company": st.sampled_from(["鸿雁商贸", "Lovelace Ltd"]),
    },
)
consents = st.lists(
    st.tuples(
        st.sampled_from(["promotion", "newsletter", None]),
        st.sampled_from([ConsentAction.GIVEN, ConsentAction.WITHDRAWN, ConsentAction.REQUESTED, ConsentAction.EXPIRED]),
        st.integers(0, 9),
    ),
    max_size=4,
)
record = st.fixed_dictionaries(
    {
        "values": values,
        "consents": consents,
        "tags": st.sets(st.sampled_from(["vip", "gold", "silver"]), max_size=2),
        "listed": st.booleans(),
        "events": st.integers(0, 4),
        "messages": st.dictionaries(
            st.sampled_from([1, 2, 3]),
            st.sampled_from([MessageState.QUEUED, MessageState.SENT, MessageState.DEFERRED, MessageState.BOUNCED]),
            max_size=3,
        ),
        "requested": st.booleans(),
        "active": st.one_of(st.none(), st.integers(0, 9)),
        "suppressed": st.booleans(),
    }
)

# Shrinking would run for minutes: every example makes people in a database.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


def made_of(world: dict[str, Any], place: int, facts: dict[str, Any]) -> Contact:
    made = person(**{"email": f"p{place}@example.com", **facts["values"]})
    for topic, action, day in facts["consents"]:
        consent(made, action, topic=topic, day=day)
    for key in sorted(facts["tags"]):
        tag_contacts(
            actor=ACTOR, tag=Tag.objects.get(key=key), contact_ids=[made.pk], source="test", on_other=OnOtherTag.REPLACE
        )
    if facts["listed"]:
        list_add(actor=ACTOR, contact_list=world["list"], contact_ids=[made.pk], source="test")
    append(
        [NewEvent(made.pk, f"e{n}", START + timedelta(days=n * 20), "web", {"n": n}) for n in range(facts["events"])]
    )
    for origin, state in facts["messages"].items():
        _message(world, made, origin, state)
    if facts["requested"]:
        ConfirmationRequest.objects.create(
            contact=made,
            topic_keys=["promotion"],
            token_sha256=bytes([place]) * 32,
            language="zh-hans",
            requested_at=START,
            expires_at=START + timedelta(days=30),
            sealed=keyring().records.seal(b'{"a":1}', owner_id=made.pk),
        )
    if facts["active"] is not None:
        Contact.objects.filter(pk=made.pk).update(last_activity_at=START + timedelta(days=facts["active"]))
    if facts["suppressed"]:
        suppress(actor=ACTOR, kind="email", value=f"p{place}@example.com", reason=SuppressionReason.COMPLAINED)
    return Contact.objects.get(pk=made.pk)


def _message(world: dict[str, Any], contact: Contact, origin: int, state: MessageState) -> None:
    dispatch(
        origin=Origin.starting("campaign", origin, at=START),
        content_version_id=world["content"],
        sender_id=world["sender"],
        topic_id=topic_id(),
        members=SQL("SELECT id FROM contacts_contact WHERE id = %(a0)s", {"a0": contact.pk}),
        due_at=START,
    )
    waits = state in (MessageState.QUEUED, MessageState.DEFERRED)
    Message.objects.filter(contact_id=contact.pk, origin_id=origin).update(
        state=state, wake_at=START if waits else None, finished_at=None if waits else START
    )
