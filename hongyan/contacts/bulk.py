"""The fast way to write many contacts: a few set-based statements for each block of rows, whatever is in them.

A block belongs in one transaction of the caller. Identity key: one of e-mail (domain in lower case, letter case of the
local part ignored), phone (E.164) or external id; rows with the same key are one contact. Of the other identifiers
an e-mail or external id that belongs to somebody else rejects the row; a phone may be shared and stays with its first
owner.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from hongyan.contacts import bulk_consent
from hongyan.contacts.bulk_consent import Grant
from hongyan.contacts.bulk_copy import InOrder, copy_binary
from hongyan.contacts.bulk_rows import (
    HEAD,
    KINDS,
    PLAIN,
    TAIL,
    ContactRowIn,
    Outcome,
    RowMaker,
    RowOutcome,
    UpsertPolicy,
    timestamp_microseconds,
    uuid7_block,
)
from hongyan.core.crypto.keyring import keyring
from hongyan.core.crypto.sealing import Sealer
from hongyan.core.sql import statement

_COLUMNS = len(HEAD) + len(TAIL)
_HEAD = struct.Struct(
    ">hiqi16si"
)  # number of columns; id, public id and the length of the blob, each with its own length
_IDENTIFIER = struct.Struct(">hiq")
_Written = tuple[int, bytes, bytes, bytes]  # contact id, public id, identity, columns of ``TAIL``
_EMAIL, _PHONE, _EXTERNAL = range(3)


def upsert(
    rows: Sequence[ContactRowIn],
    *,
    policy: UpsertPolicy,
    match_on: str,
    maker: RowMaker,
    connection: BaseDatabaseWrapper,
    consent: Grant | None = None,
    write: bool = True,
    seen: set[bytes] | None = None,
    keyless: Mapping[int, tuple[bytes, int | None]] | None = None,
) -> list[RowOutcome]:
    """Outcomes in the order of ``rows``. The connection is inside a transaction.

    match_on: one of ``KINDS``. maker: the one that made the rows. consent: what to record about the people taken.
    write False: only say what would happen; ``seen`` then carries keys from block to block, so that a person who would
    have been created by an earlier block counts as merged.
    keyless: for rows that may have no identity key, by ``ref``: what names the row itself, and the contact that came of
    it before. Such rows are told apart by e-mail, else by external id, else by this.
    Raises IntegrityError when somebody else created one of these people meanwhile: roll back and try again.
    """
    with connection.cursor() as cursor:
        block = _Block(cursor, policy, KINDS.index(match_on), maker, write=write, seen=seen, keyless=keyless)
        block.sort(rows)
        block.change_present()
        block.create_new()
        if write:
            states = bulk_consent.states(cursor, consent, block.taken) if consent is not None else {}
            with InOrder(len(rows)) as order:
                block.flush(order)
                if consent is not None:
                    bulk_consent.record(order, cursor, consent, block.taken, states, at=maker.at)
    return [block.outcomes[row.ref] for row in rows]


def consents_of(outcomes: Iterable[RowOutcome]) -> list[int]:
    """The contacts that rows were taken for, each once."""
    return list({outcome.contact_id: None for outcome in outcomes if outcome.contact_id is not None})


@dataclass(slots=True)
class _Person:
    """A contact while rows are folded into it."""

    identity: dict[str, Any]
    plain: list[Any]
    attributes: dict[str, Any]

    def fold(self, row: ContactRowIn, policy: UpsertPolicy, fixed: frozenset[str] = frozenset()) -> list[str]:
        """Names of the fields that changed. fixed: fields whose value a person fixed; they stay."""
        if fixed:
            row = _without(row, fixed)
        overwrite = policy is UpsertPolicy.UPDATE
        changed = []
        for name, value in orjson.loads(row.identity).items():
            if name == "extra":
                changed += self._fold_extra(value, overwrite=overwrite)
            elif self.identity.get(name) != value and (overwrite or not self.identity.get(name)):
                self.identity[name] = value
                changed.append(name)
        for place, value in enumerate(row.plain):
            if value and self.plain[place] != value and (overwrite or not self.plain[place]):
                self.plain[place] = value
                changed.append(PLAIN[place])
        if row.attributes != b"{}":
            for name, value in orjson.loads(row.attributes).items():
                if self.attributes.get(name) != value and (overwrite or self.attributes.get(name) in (None, "", [])):
                    self.attributes[name] = value
                    changed.append(name)
        return changed

    def _fold_extra(self, values: dict[str, str], *, overwrite: bool) -> list[str]:
        extra = self.identity.setdefault("extra", {})
        changed = [
            name for name, value in values.items() if extra.get(name) != value and (overwrite or not extra.get(name))
        ]
        extra.update({name: values[name] for name in changed})
        return changed


def _without(row: ContactRowIn, fixed: frozenset[str]) -> ContactRowIn:
    identity = {name: value for name, value in orjson.loads(row.identity).items() if name not in fixed}
    if "extra" in identity:
        identity["extra"] = {name: value for name, value in identity["extra"].items() if name not in fixed}
    attributes = {name: value for name, value in orjson.loads(row.attributes).items() if name not in fixed}
    plain = tuple(None if name in fixed else value for name, value in zip(PLAIN, row.plain, strict=True))
    return row._replace(identity=orjson.dumps(identity), attributes=orjson.dumps(attributes), plain=plain)


@dataclass(slots=True)
class _Block:
    cursor: CursorWrapper
    policy: UpsertPolicy
    key: int
    maker: RowMaker
    write: bool
    seen: set[bytes] | None
    keyless: Mapping[int, tuple[bytes, int | None]] | None = None
    outcomes: dict[int, RowOutcome] = field(default_factory=dict)
    new: dict[bytes, list[ContactRowIn]] = field(default_factory=dict)
    present: dict[int, list[ContactRowIn]] = field(default_factory=dict)
    owners: dict[tuple[int, bytes], int] = field(default_factory=dict)
    held: set[tuple[str, bytes]] = field(default_factory=set)  # suppressed addresses
    contacts: list[_Written] = field(default_factory=list)
    changes: list[_Written] = field(default_factory=list)
    identifiers: list[tuple[int, int, bytes]] = field(default_factory=list)
    dropped: list[tuple[int, int, bytes]] = field(default_factory=list)
    taken: list[bulk_consent.Taken] = field(default_factory=list)
    public_ids: Iterator[bytes] = field(default_factory=lambda: iter(()))

    def sort(self, rows: Sequence[ContactRowIn]) -> None:
        """Which rows are rejected, which belong to contacts that exist, which are new people."""
        erased = self._look_up(rows)
        claimed: dict[tuple[int, bytes], bytes] = {}
        for row in rows:
            kind, key = self._key_of(row)
            if key is None:
                self._reject(row, "key_missing")
                continue
            if erased and any(blind and (KINDS[kind], blind) in erased for kind, blind in enumerate(row.blinds)):
                self._reject(row, "erased_person")
                continue
            owner = self.owners.get((kind, key)) if kind is not None else self._owner_of_keyless(row)
            if self._conflicts(row, owner, key, claimed):
                self._reject(row, "identifier_conflict")
            elif owner is None:
                self.new.setdefault(key, []).append(row)
            else:
                self.present.setdefault(owner, []).append(row)

    def _key_of(self, row: ContactRowIn) -> tuple[int | None, bytes | None]:
        """Kind and blind index; None as kind: the row itself."""
        if self.keyless is None:
            return self.key, row.blinds[self.key]
        for kind in (_EMAIL, _EXTERNAL):
            if row.blinds[kind] is not None:
                return kind, row.blinds[kind]
        return None, self.keyless[row.ref][0]

    def _owner_of_keyless(self, row: ContactRowIn) -> int | None:
        return self.keyless[row.ref][1] if self.keyless is not None else None

    def _look_up(self, rows: Sequence[ContactRowIn]) -> set[tuple[str, bytes]]:
        """Owners and suppressions of every identifier of the block. The keys go by COPY into a temporary table: as
        parameters of a query they cost several times more than the look-up itself."""
        wanted = {(kind, blind) for row in rows for kind, blind in enumerate(row.blinds) if blind is not None}
        self.cursor.execute(_sql("keys_table"))
        self.cursor.execute(_sql("by_index"))
        keys = [b"\x00\x02%b\x00\x00\x00\x10%b" % (_KIND[kind], blind) for kind, blind in wanted]
        self._copy("contacts_bulk_key", ("kind", "blind"), keys)
        self.cursor.execute(_sql("owners"))
        self.owners = {(KINDS.index(kind), bytes(blind)): owner for kind, blind, owner in self.cursor.fetchall()}
        self.cursor.execute(_sql("suppressed"))
        found = self.cursor.fetchall()
        self.cursor.execute("TRUNCATE contacts_bulk_key")
        self.cursor.execute(_sql("by_any_plan"))
        self.held = {(kind, bytes(blind)) for kind, blind, _ in found}
        return {(kind, bytes(blind)) for kind, blind, erased in found if erased}

    def _conflicts(
        self, row: ContactRowIn, owner: int | None, key: bytes, claimed: dict[tuple[int, bytes], bytes]
    ) -> bool:
        for kind in (_EMAIL, _EXTERNAL):
            blind = row.blinds[kind]
            if blind is None or blind == key:
                continue
            other = self.owners.get((kind, blind))
            if (other is not None and other != owner) or claimed.setdefault((kind, blind), key) != key:
                return True
        return False

    def _reject(self, row: ContactRowIn, code: str) -> None:
        self.outcomes[row.ref] = RowOutcome(row.ref, Outcome.REJECTED, code=code)

    def _suppressed(self, row: ContactRowIn) -> bool:
        if not self.held:
            return False
        return any(blind and (KINDS[kind], blind) in self.held for kind, blind in enumerate(row.blinds))

    def change_present(self) -> None:
        if self.policy is UpsertPolicy.SKIP:
            for contact_id, rows in self.present.items():
                for row in rows:
                    self.outcomes[row.ref] = RowOutcome(
                        row.ref, Outcome.SKIPPED, contact_id, suppressed=self._suppressed(row)
                    )
            return
        if not self.present:
            return
        self.cursor.execute(_sql("present" if self.write else "present_unlocked"), {"ids": list(self.present)})
        opened = keyring().contacts.open
        for contact_id, sealed, *plain, attributes, provenance, _source, _demo, _created in self.cursor.fetchall():
            identity = orjson.loads(opened(bytes(sealed), owner_id=contact_id)) if sealed is not None else {}
            self._change(contact_id, _Person(identity, plain, _json(attributes)), _json(provenance))

    def _change(self, contact_id: int, person: _Person, provenance: dict[str, Any]) -> None:
        before = self.maker.blinds(person.identity)
        everything: list[str] = []
        fixed = frozenset([key for key, origin in provenance.items() if len(origin) > 2])
        for place, row in enumerate(self.present[contact_id]):
            changed = person.fold(row, self.policy, fixed)
            everything += changed
            outcome = Outcome.MERGED if place else Outcome.UPDATED if changed else Outcome.UNCHANGED
            suppressed = self._suppressed(row)
            self.outcomes[row.ref] = RowOutcome(row.ref, outcome, contact_id, tuple(changed), "", suppressed)
            if not place:
                email = before[_EMAIL] or row.blinds[_EMAIL]
                self.taken.append((contact_id, email, False, suppressed))
        if everything and self.write:
            self._queue_change(contact_id, person, provenance, everything, before)

    def _queue_change(
        self,
        contact_id: int,
        person: _Person,
        provenance: dict[str, Any],
        changed: list[str],
        before: tuple[bytes | None, ...],
    ) -> None:
        provenance |= {name: [self.maker.source, self.maker.at.isoformat()] for name in changed}
        tail = self.maker.tail(person.identity, person.plain, person.attributes, provenance)
        self.changes.append((contact_id, bytes(16), orjson.dumps(person.identity), tail))
        for kind, (old, new) in enumerate(zip(before, self.maker.blinds(person.identity), strict=True)):
            if old == new or (new is not None and self.owners.get((kind, new)) == contact_id):
                continue  # from one to another of its own: a merged contact has several, and keeps them
            if old is not None:
                self.dropped.append((contact_id, kind, old))
            if new is not None and self.owners.setdefault((kind, new), contact_id) == contact_id:
                self.identifiers.append((contact_id, kind, new))

    def create_new(self) -> None:
        ids = iter(self._ids(len(self.new))) if self.write else iter([None] * len(self.new))
        self.public_ids = iter(uuid7_block(len(self.new)))
        for key, rows in self.new.items():
            contact_id = next(ids)
            known = self.seen is not None and key in self.seen
            for place, row in enumerate(rows):
                outcome = Outcome.MERGED if place or known else Outcome.CREATED
                suppressed = bool(self.held) and self._suppressed(row)
                self.outcomes[row.ref] = RowOutcome(row.ref, outcome, contact_id, (), "", suppressed)
            if self.seen is not None:
                self.seen.add(key)
            if contact_id is not None:
                self._queue_new(contact_id, rows)

    def _ids(self, count: int) -> list[int]:
        if not count:
            return []
        self.cursor.execute(_sql("ids"), {"count": count})
        numbers: list[int] = self.cursor.fetchone()[0]
        return numbers

    def _queue_new(self, contact_id: int, rows: list[ContactRowIn]) -> None:
        first = rows[0]
        identity, tail, blinds = first.identity, first.tail, first.blinds
        if len(rows) > 1 and self.policy is not UpsertPolicy.SKIP:
            person = _Person(orjson.loads(identity), list(first.plain), orjson.loads(first.attributes))
            for row in rows[1:]:
                person.fold(row, self.policy)
            identity = orjson.dumps(person.identity)
            tail = self.maker.tail(person.identity, person.plain, person.attributes, None)
            blinds = self.maker.blinds(person.identity)
        self.contacts.append((contact_id, next(self.public_ids), identity, tail))
        for kind, blind in enumerate(blinds):
            if blind is not None and self.owners.setdefault((kind, blind), contact_id) == contact_id:
                self.identifiers.append((contact_id, kind, blind))
        self.taken.append((contact_id, blinds[_EMAIL], True, self.outcomes[first.ref].suppressed))

    def flush(self, order: InOrder) -> None:
        if self.contacts:
            order.then(self._copy, "contacts_contact", (*HEAD, *TAIL), _copy_rows(self.contacts, keyring().contacts))
        if self.changes:
            order.then(self._apply_changes, keyring().contacts)
        if self.dropped:
            order.then(self._drop_identifiers)
        if self.identifiers:
            at = b"\x00\x00\x00\x08" + timestamp_microseconds(self.maker.at).to_bytes(8, "big", signed=True)
            rows = [
                b"%b%b\x00\x00\x00\x10%b%b" % (_IDENTIFIER.pack(4, 8, contact_id), _KIND[kind], blind, at)
                for contact_id, kind, blind in self.identifiers
            ]
            order.then(self._copy, "contacts_identifier", ("contact_id", "kind", "blind", "created_at"), rows)

    def _apply_changes(self, sealer: Sealer) -> None:
        self.cursor.execute(_sql("changes_table"))
        self._copy("contacts_bulk_change", (*HEAD, *TAIL), _copy_rows(self.changes, sealer))
        self.cursor.execute(_sql("by_index"))
        self.cursor.execute(_sql("apply_changes"))
        self.cursor.execute(_sql("by_any_plan"))
        self.cursor.execute("TRUNCATE contacts_bulk_change")

    def _drop_identifiers(self) -> None:
        contacts, kinds, blinds = zip(*self.dropped, strict=True)
        values = {"contacts": list(contacts), "kinds": [KINDS[kind] for kind in kinds], "blinds": list(blinds)}
        self.cursor.execute(_sql("drop_identifiers"), values)

    def _copy(self, table: str, columns: Sequence[str], rows: Iterable[bytes]) -> None:
        copy_binary(self.cursor, table, columns, rows)


_KIND = [len(kind).to_bytes(4, "big") + kind.encode() for kind in KINDS]


def _copy_rows(written: Sequence[_Written], sealer: Sealer) -> Iterator[bytes]:
    """Complete tuples of ``HEAD`` and ``TAIL``, identities sealed as they are asked for."""
    version = b"\x00\x00\x00\x02" + sealer.current.to_bytes(2, "big")
    pack = _HEAD.pack
    blobs = sealer.seal_many([(contact_id, identity) for contact_id, _, identity, _ in written])
    for (contact_id, public_id, _, tail), blob in zip(written, blobs, strict=True):
        yield b"%b%b%b%b" % (pack(_COLUMNS, 8, contact_id, 16, public_id, len(blob)), blob, version, tail)


def _json(value: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = orjson.loads(value) if isinstance(value, (str, bytes)) else dict(value)
    return loaded


def _sql(name: str) -> str:
    return statement("hongyan.contacts", "bulk.sql", name)
