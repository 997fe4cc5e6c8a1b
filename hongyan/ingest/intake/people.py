"""Whom calls speak of: found by exact keys, made when new, remembered as visitors while nobody knows them.

A user id is believed most, then an e-mail address, then (without both) a phone number, then the anonymous id. Two known
people who meet over one anonymous id, or of whom one key says one and another key the other, are never made one here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from hongyan.contacts import bulk
from hongyan.contacts.bulk_consent import Grant
from hongyan.contacts.bulk_rows import ContactRowIn, Outcome, RowMaker, UpsertPolicy
from hongyan.contacts.fields import definitions
from hongyan.contacts.identifiers import blind_of
from hongyan.contacts.models import Identifier
from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import numbers, statement, texts
from hongyan.events.tracked import tie
from hongyan.ingest.intake import traits as trait_values
from hongyan.ingest.intake import visits
from hongyan.ingest.intake.traits import Traits
from hongyan.ingest.intake.visits import recognised
from hongyan.ingest.intake.work import Item
from hongyan.ingest.models_intake import LooseTraits, SharedDevice
from hongyan.ingest.quarantine import Trouble

Kind = Identifier.Kind
_NO_TRAITS = Traits()
Key = tuple[str, bytes]


@dataclass(slots=True)
class _Said:
    """What one call says about a person."""

    item: Item
    external: bytes | None
    visitor: bytes | None
    traits: Traits
    email: bytes | None = None
    phone: bytes | None = None
    former: bytes | None = None  # of alias: its previous id, in case that was a user id
    describes: bool = False  # identify: its traits are to be written

    @property
    def match(self) -> Key | None:
        if self.external is not None:
            return Kind.EXTERNAL_ID, self.external
        if self.describes and self.email is not None:
            return Kind.EMAIL, self.email
        if self.describes and self.phone is not None:
            return Kind.PHONE, self.phone
        return None


@dataclass(slots=True)
class People:
    """One batch. ``settle`` gives every item its contact or its visitor."""

    at: datetime
    owners: dict[Key, int] = field(default_factory=dict)
    foreign: set[int] = field(default_factory=set)  # contacts with a user id of their own
    tied: dict[bytes, int] = field(default_factory=dict)

    def settle(self, items: Sequence[Item]) -> None:
        read = trait_values.reader(definitions()) if any(item.call.type == "identify" for item in items) else None
        said = [_said(item, read) for item in items]
        self._look_up(said)
        self._from_mails(items)
        self._write(said)
        for one in said:
            key = one.match
            if key is not None:
                one.item.contact_id = self.owners.get(key)
            if one.former is not None and self.owners.get((Kind.EXTERNAL_ID, one.former), one.item.contact_id) != (
                one.item.contact_id
            ):
                one.item.troubles.append(Trouble("alias_of_known", "/previousId"))
                one.visitor = one.item.visitor = None
        self._recognise(said)
        self._keep_loose(said)

    def _look_up(self, said: Iterable[_Said]) -> None:
        keys = set[Key]()
        for one in said:
            for kind, blind in (
                (Kind.EXTERNAL_ID, one.external),
                (Kind.EMAIL, one.email),
                (Kind.PHONE, one.phone),
                (Kind.ANONYMOUS_ID, one.visitor),
                (Kind.EXTERNAL_ID, one.former),
            ):
                if blind is not None:
                    keys.add((kind.value, blind))
        self.owners = owners_of(keys)
        by_mail = {owner for (kind, _), owner in self.owners.items() if kind == Kind.EMAIL}
        if by_mail:
            self.foreign = set(
                Identifier.objects.filter(kind=Kind.EXTERNAL_ID, contact_id__in=by_mail).values_list(
                    "contact_id", flat=True
                )
            )

    def _from_mails(self, items: Sequence[Item]) -> None:
        """Visitors whose browser came through a link of a mail. A user id says more and goes before."""
        tokens = [
            (place, contact_id)
            for place, item in enumerate(items)
            if item.sender.browser
            and not item.call.user_id
            and (text := item.call.context.get("mailToken")) is not None
            and (contact_id := visits.read(text, at=item.received_at)) is not None
        ]
        for place, contact_id in recognised(tokens).items():
            items[place].contact_id = contact_id

    def _write(self, said: Sequence[_Said]) -> None:
        """New people, and what identify calls say, in as few runs of the bulk writer as sources and keys allow."""
        runs: dict[tuple[str, bool, str], list[_Said]] = {}
        for one in said:
            key = one.match
            if key is None or (not one.describes and key in self.owners):
                continue
            runs.setdefault((one.item.sender.key, one.item.sender.browser, self._match_on(one)), []).append(one)
        for (source, browser, match_on), group in runs.items():
            self._run(source, match_on, group, UpsertPolicy.FILL_EMPTY if browser else UpsertPolicy.UPDATE)

    def _match_on(self, one: _Said) -> str:
        """A new user id is given to whoever has the address, unless they have another user id already."""
        if one.external is None:
            return (Kind.EMAIL if one.email is not None else Kind.PHONE).value
        if (Kind.EXTERNAL_ID, one.external) not in self.owners and one.email is not None:
            owner = self.owners.get((Kind.EMAIL, one.email))
            if owner is not None and owner not in self.foreign:
                self.owners[Kind.EXTERNAL_ID, one.external] = owner
                self.foreign.add(owner)
                return Kind.EMAIL.value
        return Kind.EXTERNAL_ID.value

    def _run(self, source: str, match_on: str, group: Sequence[_Said], policy: UpsertPolicy) -> None:
        maker = RowMaker(keyring().blind, source, self.at)
        claimed: dict[bytes, bytes] = {}  # addresses of this run: whose they are
        rows = [self._row(maker, place, one, match_on, claimed) for place, one in enumerate(group)]
        outcomes = bulk.upsert(
            rows,
            policy=policy,
            match_on=match_on,
            maker=maker,
            connection=connection,
            consent=Grant((), "", source, source),
        )
        for found in outcomes:
            one = group[found.ref]
            if found.contact_id is not None:
                for kind, blind in zip((Kind.EMAIL, Kind.PHONE, Kind.EXTERNAL_ID), rows[found.ref].blinds, strict=True):
                    if blind is not None:
                        self.owners.setdefault((kind, blind), found.contact_id)
            elif found.outcome is Outcome.REJECTED:
                one.item.dropped = found.code == "erased_person"
                one.item.troubles.append(Trouble(found.code))

    def _row(self, maker: RowMaker, place: int, one: _Said, match_on: str, claimed: dict[bytes, bytes]) -> ContactRowIn:
        identity = dict(one.traits.identity)
        if one.external is not None:
            identity["external_id"] = one.item.call.user_id
            if one.email is not None and match_on == Kind.EXTERNAL_ID:
                mine = self.owners.get((Kind.EXTERNAL_ID, one.external))
                owner = self.owners.get((Kind.EMAIL, one.email))
                if (owner is not None and owner != mine) or claimed.setdefault(one.email, one.external) != one.external:
                    identity.pop("email")
                    one.item.troubles.append(Trouble("identifier_conflict", "/traits/email"))
        return maker.contact_row(ref=place, identity=identity, plain=one.traits.plain, attributes=one.traits.attributes)

    def _recognise(self, said: Sequence[_Said]) -> None:
        """Visitors who turned out to be somebody; devices that turned out to be shared."""
        seen = {one.visitor for one in said if one.visitor is not None}
        shared = set(
            map(bytes, SharedDevice.objects.filter(blind__in=seen).values_list("blind", flat=True)) if seen else ()
        )
        fresh_shared = set[bytes]()
        for one in said:
            visitor, contact_id = one.visitor, one.item.contact_id
            if visitor is None or contact_id is None or one.item.dropped:
                continue
            owner = self.owners.setdefault((Kind.ANONYMOUS_ID, visitor), contact_id)
            if owner != contact_id and visitor not in shared:
                fresh_shared.add(visitor)
            elif owner == contact_id:
                self.tied[visitor] = contact_id
        shared |= fresh_shared
        SharedDevice.objects.bulk_create([SharedDevice(blind=blind) for blind in fresh_shared], ignore_conflicts=True)
        self._remember(self.tied)
        for one in said:
            if one.item.contact_id is None and one.visitor is not None and not one.item.dropped:
                known = None if one.visitor in shared else self.owners.get((Kind.ANONYMOUS_ID, one.visitor))
                one.item.contact_id = known
                # A shared device can never be traced to one person: nothing is remembered under its id.
                one.item.visitor = None if one.visitor in shared else one.visitor

    def _remember(self, visitors: dict[bytes, int]) -> None:
        if not visitors:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                statement("hongyan.ingest", "intake.sql", "remember_visitors"),
                {
                    "visitors": texts(["\\x" + blind.hex() for blind in visitors]),
                    "contacts": numbers(visitors.values()),
                },
            )

    def tie_past(self) -> int:
        """After the facts of this batch are written, so that its own anonymous ones are found as well."""
        return tie(self.tied)

    def _keep_loose(self, said: Sequence[_Said]) -> None:
        wanted: dict[int, dict[str, Any]] = {}
        for one in said:
            if one.traits.loose and one.item.contact_id is not None and not one.item.dropped:
                wanted.setdefault(one.item.contact_id, {}).update(one.traits.loose)
        keep_loose(wanted, self.at)


def keep_loose(wanted: dict[int, dict[str, Any]], at: datetime) -> None:
    """Traits without a field, added to those the people have."""
    if not wanted:
        return
    sealer = keyring().records
    for row in LooseTraits.objects.select_for_update().filter(contact_id__in=list(wanted)).order_by("contact_id"):
        kept = orjson.loads(sealer.open(bytes(row.sealed), owner_id=row.contact_id))
        wanted[row.contact_id] = kept | wanted[row.contact_id]
    LooseTraits.objects.bulk_create(
        [
            LooseTraits(
                contact_id=contact_id,
                sealed=sealer.seal(orjson.dumps(values), owner_id=contact_id),
                keys=sorted(values),
                changed_at=at,
            )
            for contact_id, values in wanted.items()
        ],
        update_conflicts=True,
        unique_fields=["contact_id"],
        update_fields=["sealed", "keys", "changed_at"],
    )


def owners_of(keys: Iterable[Key]) -> dict[Key, int]:
    pairs = list(keys)
    if not pairs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.ingest", "intake.sql", "owners"),
            {"kinds": texts([kind for kind, _ in pairs]), "blinds": texts(["\\x" + blind.hex() for _, blind in pairs])},
        )
        return {(kind, bytes(blind)): owner for kind, blind, owner in cursor.fetchall()}


def _said(item: Item, read: trait_values.Reader | None) -> _Said:
    call = item.call
    describes = call.type == "identify" and bool(call.traits)
    found = read(call.traits) if read is not None and describes else _NO_TRAITS
    item.troubles += [Trouble("trait_unreadable", f"/traits/{name}") for name in found.refused]
    email, phone = found.identity.get("email"), found.identity.get("phone")
    # Alias says that its previous id, nearly always a browser's anonymous one, is this user.
    item.visitor = _blind(Kind.ANONYMOUS_ID, call.previous_id if call.type == "alias" else call.anonymous_id)
    return _Said(
        item=item,
        external=_blind(Kind.EXTERNAL_ID, call.user_id),
        visitor=item.visitor,
        traits=found,
        email=_blind(Kind.EMAIL, email),
        phone=_blind(Kind.PHONE, phone),
        former=_blind(Kind.EXTERNAL_ID, call.previous_id) if call.type == "alias" else None,
        describes=describes,
    )


def _blind(kind: Kind, value: str | None) -> bytes | None:
    return blind_of(kind, value) if value else None
