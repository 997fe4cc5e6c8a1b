"""The preference centre: what one person chose, changed by that person."""

from collections.abc import Mapping

from django.db import transaction

from hongyan.accounts.types import Actor
from hongyan.contacts.consent import consent_record, tracking_allowed, unsubscribe
from hongyan.contacts.errors import ContactNotFound
from hongyan.contacts.masking import masked_email
from hongyan.contacts.models import ConsentState, Contact, Identifier, Suppression
from hongyan.contacts.sealing import open_blob
from hongyan.contacts.suppression import lift_blind
from hongyan.contacts.topics import topic_about, topic_name, topics
from hongyan.contacts.types import (
    Channel,
    ConsentAction,
    Evidence,
    Preferences,
    SuppressionReason,
    TopicChoice,
)


def preferences_of(*, contact_id: int, language: str | None = None) -> Preferences:
    """For the holder of a signed link: the address is masked, since mails are forwarded. Raises ContactNotFound."""
    contact = Contact.objects.filter(pk=contact_id).first()
    if contact is None:
        raise ContactNotFound
    tongue = language or contact.language or "zh"
    states: dict[int | None, str] = dict(
        ConsentState.objects.filter(contact=contact, channel=Channel.EMAIL).values_list("topic_id", "state")
    )
    whole = states.get(None, "none")
    identity = open_blob(contact.sealed, contact_id=contact.pk)
    return Preferences(
        contact_id=contact.pk,
        masked_email=masked_email(identity.email),
        language=tongue,
        topics=tuple(
            TopicChoice(topic.key, topic_name(topic, tongue), topic_about(topic, tongue), states.get(topic.pk, whole))
            for topic in topics(active_only=True)
        ),
        tracking_open=bool(tracking_allowed([contact.pk], channel=Channel.TRACKING_OPEN)),
        tracking_click=bool(tracking_allowed([contact.pk], channel=Channel.TRACKING_CLICK)),
        unsubscribed_all=_suppressed(contact.pk),
    )


def preferences_change(
    *,
    actor: Actor,
    contact_id: int,
    topics_wanted: Mapping[str, bool],
    evidence: Evidence,
    tracking_open: bool | None = None,
    tracking_click: bool | None = None,
) -> int:
    """Record each choice that differs from what holds; returns how many. Choosing a topic again after unsubscribing
    from everything lifts that suppression: it is the person's own act. None leaves a tracking choice as it is.
    """  # fmt: skip
    before = preferences_of(contact_id=contact_id)
    changed = 0
    with transaction.atomic():
        for choice in before.topics:
            wanted = topics_wanted.get(choice.key)
            if wanted is None or wanted == (choice.standing == "given"):
                continue
            if not wanted and choice.standing == "withdrawn":
                continue
            action = ConsentAction.GIVEN if wanted else ConsentAction.WITHDRAWN
            _say(actor, contact_id, Channel.EMAIL, choice.key, action, evidence)
            changed += 1
        if any(topics_wanted.values()):
            lift_unsubscription(actor=actor, contact_id=contact_id)
        for channel, now_on, wanted in (
            (Channel.TRACKING_OPEN, before.tracking_open, tracking_open),
            (Channel.TRACKING_CLICK, before.tracking_click, tracking_click),
        ):
            if wanted is not None and wanted != now_on:
                action = ConsentAction.GIVEN if wanted else ConsentAction.WITHDRAWN
                _say(actor, contact_id, channel, None, action, evidence)
                changed += 1
    return changed


def unsubscribe_all(*, actor: Actor, contact_id: int, evidence: Evidence) -> bool:
    return unsubscribe(actor=actor, contact_id=contact_id, topic_key=None, evidence=evidence)


def lift_unsubscription(*, actor: Actor, contact_id: int) -> None:
    """After the person's own new consent. Complaints, bounces and staff's decisions stay."""
    for row in Identifier.objects.filter(contact_id=contact_id, kind=Identifier.Kind.EMAIL):
        for reason in (SuppressionReason.UNSUBSCRIBED, SuppressionReason.ERASED):
            lift_blind(actor=actor, kind="email", blind=bytes(row.blind), reason=reason)


def _say(  # noqa: PLR0917  one line at each use
    actor: Actor, contact_id: int, channel: Channel, topic_key: str | None, action: ConsentAction, evidence: Evidence
) -> None:
    consent_record(
        actor=actor, contact_id=contact_id, channel=channel, topic_key=topic_key, action=action, evidence=evidence
    )


def _suppressed(contact_id: int) -> bool:
    blinds = Identifier.objects.filter(contact_id=contact_id, kind=Identifier.Kind.EMAIL).values("blind")
    return Suppression.objects.filter(kind="email", blind__in=blinds, reason=SuppressionReason.UNSUBSCRIBED).exists()
