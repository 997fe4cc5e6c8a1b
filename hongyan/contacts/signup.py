"""Double opt-in: a sign-up waits for the click in the mail; until then nothing else is sent and nothing typed is used.

Whoever fills in a form proves nothing about the address, so a sign-up never changes what holds for a person who is
already known: no consent, no withdrawal, no field. It only asks.
"""

import hashlib
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connection, transaction

from hongyan.accounts.types import contact_actor, system_actor
from hongyan.contacts import normalise
from hongyan.contacts.consent import consent_record
from hongyan.contacts.errors import ConfirmationRefused, ContactNotFound, InvalidValues, NormaliseProblem, SignupRefused
from hongyan.contacts.identifiers import blind_of, contact_id_of
from hongyan.contacts.models import ConfirmationRequest, ConsentState, SignupForm, Suppression, Topic
from hongyan.contacts.preferences import lift_unsubscription
from hongyan.contacts.sealing import open_record
from hongyan.contacts.services import contact_create, contact_fill
from hongyan.contacts.signup_forms import form_by_public_id, form_text, form_topics
from hongyan.contacts.types import Channel, ConsentAction, ContactValues, Evidence
from hongyan.contacts.values import parts_of
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring
from hongyan.core.crypto.tokens import TokenRefused

LIFE: Final = timedelta(days=30)
PURPOSE: Final = "confirm"
# A form must not be a way to fill somebody's inbox: confirmation mails an address gets, whoever asks for them.
DAILY_LIMIT: Final = 3
MONTHLY_LIMIT: Final = 6
# The person's own new wish lifts these once it is confirmed; any other stop keeps even the confirmation mail back.
_LIFTED_BY_CONFIRMING = (Suppression.Reason.UNSUBSCRIBED, Suppression.Reason.ERASED)


@dataclass(frozen=True, slots=True)
class Signup:
    """A confirmation mail to send now."""

    request_id: int
    contact_id: int
    email: str
    token: str
    language: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a link is about. again: it was confirmed before, nothing was changed now."""

    request_id: int
    contact_id: int
    form: SignupForm | None
    topic_keys: tuple[str, ...]
    language: str
    requested_at: datetime
    again: bool


def form_submit(
    *,
    form: SignupForm,
    values: Mapping[str, Any],
    topic_keys: Collection[str],
    language: str,
    evidence: Evidence,
    trap: str = "",
    tracking_refused: bool = False,
) -> Signup | None:
    """Take a sign-up. None: accepted, but there is no mail to send (a robot, a stopped address, too many mails asked
    for this address); the visitor is answered the same, so that nobody learns who is known here.

    values: raw, ``email`` and the keys the form asks. trap: what stood in the input that people never see.
    tracking_refused: the browser said so (Sec-GPC).
    Raises InvalidValues (also ``topics``), SignupRefused (form_closed, throttled).
    """
    if not form.active:
        raise SignupRefused("form_closed")
    if trap:
        return None
    offered = form_topics(form)
    wanted = [topic.key for topic in offered if topic.key in set(topic_keys)]
    address, typed = _checked(form, values, wanted)
    at = now()
    with transaction.atomic():
        blind = blind_of("email", address)
        _one_at_a_time(blind)
        ip_blind = _throttled(form, evidence.ip, at)
        if _stopped(blind, address) or _enough(address, at):
            return None
        contact_id, created = _contact(address)
        token = keyring().signer.sign(PURPOSE, form.public_id.bytes + secrets.token_bytes(16))
        request = ConfirmationRequest.objects.create(
            form=form,
            contact_id=contact_id,
            topic_keys=wanted,
            token_sha256=_hash(token),
            language=language,
            wording=form_text(form, language, "consent"),
            wording_version=f"{form.public_id.hex[-12:]}/{form.wording_version}/{language}",
            sealed=_sealed(typed, evidence, contact_id, tracking_refused=tracking_refused),
            ip_blind=ip_blind,
            created_contact=created,
            requested_at=at,
            expires_at=at + LIFE,
        )
        for key in wanted:
            say(request, key, ConsentAction.REQUESTED, evidence, at=at)
    return Signup(request.pk, contact_id, address, token, language, at)


def confirmation_of(*, token: str) -> Confirmation:
    """What the link would confirm; changes nothing. Raises ConfirmationRefused (unknown, expired)."""
    request = _request(token)
    if request.confirmed_at is None and request.expires_at <= now():
        raise ConfirmationRefused("expired")
    return _confirmation(request)


def confirm(*, token: str, evidence: Evidence, tracking_refused: bool = False) -> Confirmation:
    """The click in the mail: consent is given from now on, and what was typed goes into empty fields.

    A link confirms once. Pressing it again later changes nothing, also after an unsubscription.
    Raises ConfirmationRefused (unknown, expired).
    """
    at = now()
    with transaction.atomic():
        request = _request(token, lock=True)
        if request.confirmed_at is not None:
            return _confirmation(request)
        if request.expires_at <= at:
            raise ConfirmationRefused("expired")
        kept = _opened(request)
        for key in existing(request.topic_keys):
            say(request, key, ConsentAction.GIVEN, evidence, at=at, source_url=kept.get("source_url", ""))
        lift_unsubscription(actor=contact_actor(), contact_id=request.contact_id)
        if tracking_refused or kept.get("tracking_refused"):
            _refuse_tracking(request, evidence, at)
        _fill(request, kept.get("values", {}))
        fresh = _confirmation(request)
        request.confirmed_at, request.sealed = at, None
        request.save(update_fields=["confirmed_at", "sealed"])
    return fresh


def form_of_token(token: str) -> SignupForm | None:
    """Where somebody with an old link can ask for a new one, also when the request itself is no longer kept."""
    try:
        payload = keyring().signer.unsign(PURPOSE, token)
    except TokenRefused:
        return None
    return form_by_public_id(UUID(bytes=payload[:16]), active_only=True)


# -- taking a sign-up


def _checked(form: SignupForm, values: Mapping[str, Any], wanted: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Every problem at once, beside its field."""
    problems: dict[str, str] = {}
    address = ""
    try:
        address = normalise.email(str(values.get("email") or ""))
    except NormaliseProblem as problem:
        problems["email"] = problem.code
    if not address and "email" not in problems:
        problems["email"] = "empty"
    typed = {key: values[key] for key in form.fields if values.get(key) not in (None, "", [])}
    try:
        parts_of(typed)
    except InvalidValues as invalid:
        problems |= invalid.problems
    if not wanted:
        problems["topics"] = "topics"
    if problems:
        raise InvalidValues(problems)
    return address, typed


def _one_at_a_time(blind: bytes) -> None:
    """Counting and creating for one address must not race with itself."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(blind[:8], "big", signed=True)])


def _throttled(form: SignupForm, ip: str, at: datetime) -> bytes | None:
    if not ip:
        return None
    blind = keyring().blind.index("ip", ip)
    recent = ConfirmationRequest.objects.filter(ip_blind=blind, requested_at__gt=at - timedelta(hours=1))
    if recent.count() >= form.hourly_limit:
        raise SignupRefused("throttled")
    return blind


def _stopped(blind: bytes, address: str) -> bool:
    rows = Suppression.objects.exclude(reason__in=_LIFTED_BY_CONFIRMING)
    if rows.filter(kind="email", blind=blind).exists():
        return True
    return Suppression.objects.filter(kind="domain", domain=address.rpartition("@")[2]).exists()


def _enough(address: str, at: datetime) -> bool:
    contact_id = contact_id_of("email", address)
    if contact_id is None:
        return False
    mine = ConfirmationRequest.objects.filter(contact_id=contact_id)
    if mine.filter(requested_at__gt=at - timedelta(days=1)).count() >= DAILY_LIMIT:
        return True
    return mine.filter(requested_at__gt=at - LIFE, confirmed_at=None).count() >= MONTHLY_LIMIT


def _contact(address: str) -> tuple[int, bool]:
    """Whoever has the address, else somebody new of whom only the address is known."""
    known = contact_id_of("email", address)
    if known is not None:
        return known, False
    made = contact_create(actor=system_actor("form"), values=ContactValues({"email": address}), source="form")
    return made.pk, True


def _sealed(typed: Mapping[str, Any], evidence: Evidence, contact_id: int, *, tracking_refused: bool) -> bytes:
    kept = {"values": typed, "source_url": evidence.source_url, "tracking_refused": tracking_refused}
    return keyring().records.seal(orjson.dumps(kept), owner_id=contact_id)


# -- confirming


def _request(token: str, *, lock: bool = False) -> ConfirmationRequest:
    try:
        keyring().signer.unsign(PURPOSE, token)
    except TokenRefused as error:
        raise ConfirmationRefused("unknown") from error
    rows = ConfirmationRequest.objects.select_for_update(of=("self",)) if lock else ConfirmationRequest.objects.all()
    request = rows.select_related("form").filter(token_sha256=_hash(token)).first()
    if request is None:  # ours, but swept since
        raise ConfirmationRefused("expired")
    return request


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _confirmation(request: ConfirmationRequest) -> Confirmation:
    return Confirmation(
        request.pk,
        request.contact_id,
        request.form,
        tuple(request.topic_keys),
        request.language,
        request.requested_at,
        again=request.confirmed_at is not None,
    )


def _opened(request: ConfirmationRequest) -> dict[str, Any]:
    if request.sealed is None:
        return {}
    kept: dict[str, Any] = orjson.loads(open_record(request.sealed, owner_id=request.contact_id))
    return kept


def existing(keys: Sequence[str]) -> list[str]:
    return list(Topic.objects.filter(key__in=keys).order_by("position", "id").values_list("key", flat=True))


def _refuse_tracking(request: ConfirmationRequest, evidence: Evidence, at: datetime) -> None:
    """Only where the person never chose: a browser's signal does not overrule a choice made by hand."""
    for channel in (Channel.TRACKING_OPEN, Channel.TRACKING_CLICK):
        if not ConsentState.objects.filter(contact_id=request.contact_id, channel=channel).exists():
            consent_record(
                actor=contact_actor(),
                contact_id=request.contact_id,
                channel=channel,
                topic_key=None,
                action=ConsentAction.REFUSED,
                evidence=Evidence(
                    method="gpc", wording="Sec-GPC: 1", ip=evidence.ip, user_agent=evidence.user_agent, occurred_at=at
                ),
            )


def _fill(request: ConfirmationRequest, values: Mapping[str, Any]) -> None:
    language = "zh-Hans" if request.language.startswith("zh") else request.language
    source = f"form:{request.form_id}" if request.form_id else "form"
    for piece in ({"language": language}, *({key: value} for key, value in values.items())):
        try:
            contact_fill(contact_id=request.contact_id, values=piece, source=source)
        except (InvalidValues, ContactNotFound):
            continue  # a field archived or narrowed since must not cost the person their subscription


def say(
    request: ConfirmationRequest,
    topic_key: str,
    action: ConsentAction,
    evidence: Evidence,
    *,
    at: datetime,
    source_url: str = "",
) -> None:
    consent_record(
        actor=system_actor("sign-ups") if action is ConsentAction.EXPIRED else contact_actor(),
        contact_id=request.contact_id,
        channel=Channel.EMAIL,
        topic_key=topic_key,
        action=action,
        evidence=Evidence(
            method=evidence.method,
            legal_basis="consent",
            wording=request.wording,
            wording_version=request.wording_version,
            source_url=source_url or evidence.source_url,
            form_id=request.form_id,
            ip=evidence.ip,
            user_agent=evidence.user_agent,
            requested_at=request.requested_at,
            occurred_at=at,
        ),
    )
