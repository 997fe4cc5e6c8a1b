"""From claimed rows to mails that can be built: the gate, then everything a batch needs in a fixed number of queries.

One Preparer a lane, used from one thread; what it caches (content versions never change, senders live half a minute) is
read by builds in the event loop.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from functools import partial

import orjson
from django.conf import settings
from django.db.models import Q

from hongyan.contacts.consent import MailGate, mail_gate, refusals
from hongyan.contacts.suppression import reasons_of_addresses
from hongyan.contacts.types import MailRefusal, SuppressionReason
from hongyan.content.contexts import contexts
from hongyan.content.models import ContentVersion
from hongyan.content.rendering import PreparedMail, prepare
from hongyan.core import clock
from hongyan.core.crypto.keyring import keyring
from hongyan.delivery.lane.builders import Letter, build_content, build_direct
from hongyan.delivery.lane.claims import GateRefusal
from hongyan.delivery.lane.work import Batch, Claimed, Work
from hongyan.delivery.links import MessageLinks, bounce_address, message_id_header
from hongyan.delivery.mime.address import Address, AddressRefused, parse_address
from hongyan.delivery.mime.message import Built, Frame, make_frame
from hongyan.delivery.models import DirectContent, OriginHold, Sender, Throttle
from hongyan.delivery.outbox import INSTALLATION_SENDER
from hongyan.delivery.staff_mail import STAFF
from hongyan.delivery.types import MessageState, Reason

_SENDER_LIFE = timedelta(seconds=30)
_HELD_LIFE = timedelta(seconds=5)
_MAX_VERSIONS = 64
# A person who asks to be subscribed (again) may be answered although they were unsubscribed, erased or listed as such.
_OPTIN_MAY_PASS = frozenset(
    {
        MailRefusal.NO_EMAIL,
        MailRefusal.SUPPRESSED_UNSUBSCRIBED,
        MailRefusal.SUPPRESSED_ERASED,
        MailRefusal.SUPPRESSED_IMPORT,
    }
)


@dataclass(slots=True)
class Preparation:
    batch: Batch
    works: list[Work] = field(default_factory=list)
    refusals: list[GateRefusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Version:
    mail: PreparedMail
    variables: list[str]
    language: str


@dataclass(frozen=True, slots=True)
class _Identity:
    """A sender as mails need it."""

    from_name: str
    from_address: str
    reply_to: str
    context: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Names:
    """The installation's own, as they stand in every mail."""

    base_url: str
    mail_domain: str
    bounce_domain: str

    @classmethod
    def configured(cls) -> "_Names":
        return cls(settings.HONGYAN_BASE_URL, settings.HONGYAN_MAIL_DOMAIN, settings.HONGYAN_BOUNCE_DOMAIN)


class Preparer:
    def __init__(self) -> None:
        self._versions: dict[int, _Version] = {}
        self._senders: dict[int, tuple[datetime, _Identity]] = {}
        self._frames: dict[tuple[object, ...], Frame] = {}
        self._held: dict[str, datetime] = {}
        self._held_at = datetime.min.replace(tzinfo=UTC)

    def hold(self, domain: str) -> None:
        """At once for this lane; the table follows and tells the others."""
        self._held[domain] = clock.now() + timedelta(minutes=2)

    def prepare(self, rows: Sequence[Claimed]) -> Preparation:
        """All rows are of one claim."""
        prepared = Preparation(Batch(rows[0].fence))
        self._read_held()
        rows = self._without_held_origins(prepared, rows)
        direct = [row for row in rows if row.content_version_id is None]
        self._prepare_direct(prepared, direct)
        groups: dict[tuple[int, int | None, bool], list[Claimed]] = defaultdict(list)
        for row in rows:
            if row.content_version_id is not None:
                groups[row.content_version_id, row.topic_id, row.transactional].append(row)
        for (version_id, topic_id, transactional), group in groups.items():
            ids = [row.contact_id for row in group if row.contact_id is not None]
            gates = mail_gate(ids, topic_id=topic_id, transactional=transactional)
            self._prepare_content(prepared, self._gate(prepared, group, gates), gates, version_id)
        # The claim's rows come in no order; mails leave in that of the queue.
        prepared.works.sort(key=lambda work: (work.row.due_at, work.row.id))
        return prepared

    # -- the gate

    def _without_held_origins(self, prepared: Preparation, rows: Sequence[Claimed]) -> list[Claimed]:
        wanted = Q()
        for kind, origin_id in {(row.origin_kind, row.origin_id) for row in rows}:
            wanted |= Q(origin_kind=kind, origin_id=origin_id)
        holds = OriginHold.objects.filter(wanted, ended_at=None).values_list("origin_kind", "origin_id", "action")
        held = {(kind, origin_id): action for kind, origin_id, action in holds}
        free = []
        for row in rows:
            action = held.get((row.origin_kind, row.origin_id))
            if action is None:
                free.append(row)
            elif action == OriginHold.Action.CANCEL:
                prepared.refusals.append(GateRefusal(row, MessageState.CANCELLED, Reason.ORIGIN_CANCELLED))
            else:
                prepared.refusals.append(GateRefusal(row, MessageState.QUEUED, "", wake_at=row.due_at))
        return free

    def _gate(self, prepared: Preparation, rows: list[Claimed], gates: Mapping[int, MailGate]) -> list[Claimed]:
        allowed = []
        for row in rows:
            refusal: str | None = Reason.NO_CONTACT
            if (gate := gates.get(row.contact_id or 0)) is not None:
                refusal = gate.refusal
            if refusal is None:
                allowed.append(row)
            else:
                prepared.refusals.append(GateRefusal(row, MessageState.REFUSED, str(refusal)))
        return allowed

    def _read_held(self) -> None:
        now = clock.now()
        if now - self._held_at < _HELD_LIFE:
            return
        self._held_at = now
        rows = Throttle.objects.filter(until__gt=now).exclude(domain="*").values_list("domain", "until")
        self._held = {domain: until for domain, until in self._held.items() if until > now} | dict(rows)

    def _address(self, prepared: Preparation, row: Claimed, text: str) -> Address | None:
        """Where it goes, or the reason why it does not (yet)."""
        if not text:
            prepared.refusals.append(GateRefusal(row, MessageState.REFUSED, MailRefusal.NO_EMAIL))
            return None
        try:
            address = parse_address(text)
        except AddressRefused:
            prepared.refusals.append(GateRefusal(row, MessageState.REFUSED, Reason.BAD_ADDRESS))
            return None
        until = self._held.get(address.domain_ascii)
        if until is not None and until > clock.now():
            prepared.refusals.append(GateRefusal(row, MessageState.QUEUED, Reason.THROTTLED, wake_at=until))
            return None
        return address

    # -- campaign mail: content versions

    def _prepare_content(
        self, prepared: Preparation, rows: list[Claimed], gates: Mapping[int, MailGate], version_id: int
    ) -> None:
        if not rows:
            return
        version = self._version(version_id)
        ids = [row.contact_id for row in rows if row.contact_id is not None]
        # The address comes with the values: one opening of each sealed contact.
        values = contexts(ids, [*version.variables, "contact.email"], language=version.language)
        names = _Names.configured()  # settings are looked up slowly; here are hundreds of mails
        for row in rows:
            context = values.get(row.contact_id or 0)
            if context is None:
                prepared.refusals.append(GateRefusal(row, MessageState.REFUSED, Reason.NO_CONTACT))
                continue
            address = self._address(prepared, row, context["contact"].get("email") or "")
            if address is None:
                continue
            gate = gates[row.contact_id or 0]
            links = MessageLinks(
                row.key,
                base_url=names.base_url,
                tracks_clicks=gate.tracks_clicks,
                tracks_opens=gate.tracks_opens,
            )
            sender = self._sender(row.sender_id)
            letter = Letter(self._frame(row, sender), address, _message_id(row, names), marketing=not row.transactional)
            make = partial(build_content, letter, version.mail, context | {"sender": sender.context}, links)
            prepared.works.append(_work(prepared.batch, row, letter, make, names))

    def _version(self, version_id: int) -> _Version:
        known = self._versions.get(version_id)
        if known is None:
            stored = ContentVersion.objects.get(pk=version_id)
            known = _Version(prepare(stored), list(stored.variables), stored.language)
            if len(self._versions) >= _MAX_VERSIONS:
                self._versions.pop(next(iter(self._versions)))
            self._versions[version_id] = known
        return known

    # -- single mail: sealed text

    def _prepare_direct(self, prepared: Preparation, rows: list[Claimed]) -> None:
        if not rows:
            return
        rows, names = self._gate_direct(prepared, rows), _Names.configured()
        blobs = dict(
            DirectContent.objects.filter(message_id__in=[row.id for row in rows]).values_list("message_id", "sealed")
        )
        mails = {
            number: orjson.loads(keyring().records.open(bytes(blob), owner_id=number)) for number, blob in blobs.items()
        }
        suppressed = reasons_of_addresses({mail["to"] for mail in mails.values()})
        for row in rows:
            if row.id not in mails:
                prepared.refusals.append(GateRefusal(row, MessageState.FAILED, Reason.CONTENT_GONE))
                continue
            mail = mails[row.id]
            if refusal := _refused_address(row, suppressed.get(mail["to"], ())):
                prepared.refusals.append(GateRefusal(row, MessageState.REFUSED, refusal))
                continue
            address = self._address(prepared, row, mail["to"])
            if address is None:
                continue
            letter = Letter(
                self._frame(row, self._sender(row.sender_id)), address, _message_id(row, names), marketing=False
            )
            make = partial(build_direct, letter, mail)
            prepared.works.append(_work(prepared.batch, row, letter, make, names))

    def _gate_direct(self, prepared: Preparation, rows: list[Claimed]) -> list[Claimed]:
        ids = [row.contact_id for row in rows if row.contact_id is not None]
        found = refusals(ids, topic_id=None, transactional=True) if ids else {}
        allowed = []
        for row in rows:
            refusal: str | None = None
            if row.contact_id is not None:
                refusal = found.get(row.contact_id, Reason.NO_CONTACT)
            if refusal is None or refusal in _OPTIN_MAY_PASS:
                allowed.append(row)
            else:
                prepared.refusals.append(GateRefusal(row, MessageState.REFUSED, str(refusal)))
        return allowed

    # -- what many mails share

    def _sender(self, sender_id: int) -> _Identity:
        now = clock.now()
        known = self._senders.get(sender_id)
        if known is not None and now - known[0] < _SENDER_LIFE:
            return known[1]
        identity = _installation() if sender_id == INSTALLATION_SENDER else _identity(Sender.objects.get(pk=sender_id))
        if known is not None and known[1] != identity:
            self._frames.clear()
        self._senders[sender_id] = now, identity
        return identity

    def _frame(self, row: Claimed, sender: _Identity) -> Frame:
        key = (row.sender_id, row.origin_kind, row.origin_id, row.content_version_id, row.topic_id, row.transactional)
        frame = self._frames.get(key)
        if frame is None:
            stream = "transactional" if row.transactional else "marketing"
            version = row.content_version_id or 0
            frame = make_frame(
                from_name=sender.from_name,
                from_address=sender.from_address,
                reply_to=sender.reply_to,
                marketing=not row.transactional,
                list_id=f"{f'topic-{row.topic_id}' if row.topic_id else 'all'}.{settings.HONGYAN_MAIL_DOMAIN}",
                feedback_id=f"{row.origin_kind}{row.origin_id}:v{version}:{stream}:hy{row.sender_id:06d}",
            )
            if len(self._frames) > 1000:
                self._frames.clear()
            self._frames[key] = frame
        return frame


def _refused_address(row: Claimed, reasons: Collection[SuppressionReason]) -> str | None:
    """The address a single mail was written to need not be the one its contact has now, or anybody's. What staff
    needs to sign in is the only mail that goes to a suppressed address."""
    if row.origin_kind == STAFF:
        return None
    found = sorted({MailRefusal(f"suppressed_{reason}") for reason in reasons} - _OPTIN_MAY_PASS)
    return found[0] if found else None


def _message_id(row: Claimed, names: _Names) -> str:
    """The one of the first attempt, if there was one."""
    return row.message_id or message_id_header(row.key, names.mail_domain)


def _work(batch: Batch, row: Claimed, letter: Letter, make: Callable[[], Built], names: _Names) -> Work:
    return Work(
        row=row,
        batch=batch,
        recipient=letter.to.as_text,
        domain=letter.to.domain_ascii,
        mail_from=bounce_address(row.key, names.bounce_domain),
        message_id=letter.message_id,
        build=make,
        attempts=row.attempts + 1,
    )


def _identity(sender: Sender) -> _Identity:
    return _Identity(
        sender.from_name,
        sender.from_email,
        sender.reply_to,
        {
            "name": sender.from_name,
            "email": sender.from_email,
            "company": sender.company_name,
            "address": sender.postal_address,
            "phone": sender.phone,
            "website": sender.website,
        },
    )


def _installation() -> _Identity:
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return _Identity(name, address, "", {"name": name, "email": address})
