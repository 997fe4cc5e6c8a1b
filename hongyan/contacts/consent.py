"""The consent ledger, what holds now, and who may be mailed or tracked."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import orjson
from django.db import connection, transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record as audit_record
from hongyan.contacts.merging import ids_of
from hongyan.contacts.models import ConsentRecord, ConsentState, Contact, Identifier, Topic
from hongyan.contacts.suppression import suppress_blind
from hongyan.contacts.types import Channel, ConsentAction, Evidence, MailRefusal, SuppressionReason
from hongyan.core import clock
from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import SQL, any_of, numbers, statement

_STATE_AFTER = {
    ConsentAction.REQUESTED: "pending",
    ConsentAction.GIVEN: "given",
    ConsentAction.REFUSED: "withdrawn",
    ConsentAction.WITHDRAWN: "withdrawn",
    ConsentAction.EXPIRED: "none",
    ConsentAction.IMPORTED_NONE: "none",
}
# Where open and click tracking needs a consent of its own (France per CNIL 2026-042, and the EU and EEA with it).
TRACKING_ASKS_FIRST = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """One record for the contact page, newest first."""

    channel: str
    topic_key: str | None
    action: str
    legal_basis: str
    method: str
    wording: str
    wording_version: str
    requested_at: datetime | None
    occurred_at: datetime
    recorded_by: str


def consent_record(
    *,
    actor: Actor,
    contact_id: int,
    channel: str,
    topic_key: str | None,
    action: ConsentAction,
    evidence: Evidence,
) -> ConsentRecord:
    """Write one act into the ledger and let it hold. Contacts act for themselves; staff need CONSENT_EDIT."""
    _require(actor)
    topic = Topic.objects.get(key=topic_key) if topic_key else None
    at = evidence.occurred_at or clock.now()
    with transaction.atomic():
        written = ConsentRecord.objects.create(
            contact_id=contact_id,
            pseudonym=pseudonym_of(contact_id),
            channel=channel,
            topic=topic,
            action=action,
            legal_basis=evidence.legal_basis,
            wording=evidence.wording,
            wording_version=evidence.wording_version,
            wording_sha256=hashlib.sha256(evidence.wording.encode()).digest() if evidence.wording else None,
            method=evidence.method,
            source_url=evidence.source_url[:500],
            form_id=evidence.form_id,
            requested_at=evidence.requested_at,
            occurred_at=at,
            recorded_by=actor.label[:120],
            sealed_evidence=_sealed(evidence, contact_id),
        )
        with connection.cursor() as cursor:
            cursor.execute(
                statement("hongyan.contacts", "consent.sql", "set_states"),
                {
                    "contact_ids": [contact_id],
                    "channels": [str(channel)],
                    "topic_ids": [topic.pk if topic else None],
                    "states": [_STATE_AFTER[action]],
                    "since": [at],
                },
            )
        if actor.kind in {"user", "api_key"}:
            audit_record(
                actor=actor,
                action="consent.recorded",
                subject_kind="contact",
                subject_id=str(Contact.objects.values_list("public_id", flat=True).get(pk=contact_id)),
                data={"channel": str(channel), "topic": topic_key, "action": str(action)},
            )
    return written


def unsubscribe(*, actor: Actor, contact_id: int, topic_key: str | None, evidence: Evidence) -> bool:
    """From one topic, or (None) from everything that is not transactional. Returns whether anything changed.

    From everything also suppresses the address, so that erasure and re-import cannot bring the person back.
    """
    _require(actor)
    states = ConsentState.objects.filter(contact_id=contact_id, channel=Channel.EMAIL)
    if states.filter(topic__isnull=True, state="withdrawn").exists() and not states.filter(state="given").exists():
        return False
    if topic_key and states.filter(topic__key=topic_key, state="withdrawn").exists():
        return False
    with transaction.atomic():
        if topic_key is None:  # each topic as well, so that the preference centre shows what holds
            given = list(
                states.filter(state__in=["given", "pending"], topic__isnull=False).values_list("topic__key", flat=True)
            )
            for key in given:
                _withdraw(actor, contact_id, key, evidence)
        _withdraw(actor, contact_id, topic_key, evidence)
        if topic_key is None:
            _suppress_address(actor, contact_id)
    return True


def _suppress_address(actor: Actor, contact_id: int) -> None:
    for row in Identifier.objects.filter(contact_id=contact_id, kind=Identifier.Kind.EMAIL):
        suppress_blind(actor=actor, kind="email", blind=bytes(row.blind), reason=SuppressionReason.UNSUBSCRIBED)


def _withdraw(actor: Actor, contact_id: int, topic_key: str | None, evidence: Evidence) -> None:
    consent_record(
        actor=actor,
        contact_id=contact_id,
        channel=Channel.EMAIL,
        topic_key=topic_key,
        action=ConsentAction.WITHDRAWN,
        evidence=evidence,
    )


def refusals_sql(*, topic_id: int | None, transactional: bool) -> SQL:
    """``SELECT id, refusal`` over all contacts: join it with an audience. refusal is NULL for who may be mailed."""
    return _refusals("suppressed_of_all", topic_id=topic_id, transactional=transactional)


def suppressed_sql(*, transactional: bool) -> SQL:
    """``SELECT contact_id, reason`` of everybody whose address or its domain is suppressed, with the weightiest reason:
    the part of ``refusals_sql`` that nothing but the suppression list tells."""
    join = statement("hongyan.contacts", "consent.sql", "suppressed_of_all")
    text = f"SELECT s.contact_id, s.reason FROM contacts_contact c {join} WHERE s.reason IS NOT NULL"
    return SQL(text, {"transactional": transactional})


def returned_sql(*, topic_id: int) -> SQL:
    """``SELECT contact_id`` of those who withdrew all mail and after that said something about the topic again."""
    return SQL(statement("hongyan.contacts", "consent.sql", "returned"), {"topic_id": topic_id})


def refusals(contact_ids: Sequence[int], *, topic_id: int | None, transactional: bool) -> dict[int, MailRefusal | None]:
    """For each contact why it may not be mailed now, or None. Contacts that no longer exist are missing."""
    query = _refusals("suppressed_of_few", topic_id=topic_id, transactional=transactional)
    with connection.cursor() as cursor:
        params = {**query.params, "ids": numbers(contact_ids)}
        cursor.execute(query.text + "\nWHERE c.id = ANY(%(ids)s::bigint[])", params)
        return {contact_id: MailRefusal(why) if why else None for contact_id, why in cursor.fetchall()}


class MailGate(NamedTuple):
    """What a sender has to know of a person. refusal: None for who may be mailed."""

    refusal: MailRefusal | None
    tracks_opens: bool
    tracks_clicks: bool


def mail_gate(contact_ids: Sequence[int], *, topic_id: int | None, transactional: bool) -> dict[int, MailGate]:
    """``refusals`` and ``tracking_allowed`` of both channels in one question. Contacts that no longer exist are
    missing."""
    query = _refusals("suppressed_of_few", topic_id=topic_id, transactional=transactional)
    text = statement("hongyan.contacts", "consent.sql", "mail_gate").replace("{refusals}", query.text)
    with connection.cursor() as cursor:
        cursor.execute(text, {**query.params, "ids": numbers(contact_ids)})
        return {
            contact_id: MailGate(
                MailRefusal(why) if why else None,
                opens == "given" or (opens is None and country not in TRACKING_ASKS_FIRST),
                clicks == "given" or (clicks is None and country not in TRACKING_ASKS_FIRST),
            )
            for contact_id, why, country, opens, clicks in cursor.fetchall()
        }


def _refusals(suppressed: str, *, topic_id: int | None, transactional: bool) -> SQL:
    text = statement("hongyan.contacts", "consent.sql", "refusals")
    join = statement("hongyan.contacts", "consent.sql", suppressed)
    return SQL(text.replace("{suppressed}", join), {"topic_id": topic_id, "transactional": transactional})


def tracking_allowed(contact_ids: Iterable[int], *, channel: str) -> set[int]:
    """Of these contacts, whose opens or clicks may be recorded: consent given, or a region that does not ask first and
    no refusal."""
    ids = list(contact_ids)
    states = dict(
        ConsentState.objects.filter(contact_id__in=any_of(ids), channel=channel, topic__isnull=True).values_list(
            "contact_id", "state"
        )
    )
    countries = Contact.objects.filter(id__in=any_of(ids)).values_list("id", "country")
    return {
        contact_id
        for contact_id, country in countries
        if states.get(contact_id) == "given" or (states.get(contact_id) is None and country not in TRACKING_ASKS_FIRST)
    }


def states_of(*, actor: Actor, contact_id: int) -> dict[tuple[str, str | None], tuple[str, datetime]]:
    """(channel, topic key) → (state, since)."""
    if actor.kind != "contact":
        actor.require(Permission.CONTACT_VIEW)
    rows = ConsentState.objects.filter(contact_id=contact_id).values_list("channel", "topic__key", "state", "since")
    return {(channel, key): (state, since) for channel, key, state, since in rows}


def history_of(*, actor: Actor, contact_id: int) -> list[ConsentLine]:
    actor.require(Permission.CONTACT_VIEW)
    rows = ConsentRecord.objects.filter(contact_id__in=ids_of(contact_id)).order_by("-id").values_list(
        "channel", "topic__key", "action", "legal_basis", "method", "wording", "wording_version",
        "requested_at", "occurred_at", "recorded_by",
    )  # fmt: skip
    return [ConsentLine(*row) for row in rows]


def pseudonym_of(contact_id: int) -> bytes:
    """The blind index of the contact's address; of the contact itself where there is none."""
    blind = (
        Identifier.objects.filter(contact_id=contact_id, kind="email")
        .order_by("id")
        .values_list("blind", flat=True)
        .first()
    )
    return bytes(blind) if blind is not None else keyring().blind.index("contact", str(contact_id))


def _sealed(evidence: Evidence, contact_id: int) -> bytes | None:
    if not (evidence.ip or evidence.user_agent):
        return None
    plain = orjson.dumps({"ip": evidence.ip, "user_agent": evidence.user_agent[:400]})
    return keyring().records.seal(plain, owner_id=contact_id)


def _require(actor: Actor) -> None:
    if actor.kind != "contact":
        actor.require(Permission.CONSENT_EDIT)
