"""Which contact a row of a file became: so that a file read twice makes nobody twice, and so that anybody can see, row
by row, who was found to be one person."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts.bulk_rows import RowOutcome
from hongyan.contacts.merging import current_ids
from hongyan.contacts.models import Contact
from hongyan.contacts.sealing import open_record
from hongyan.core.batching import batched
from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import any_of
from hongyan.identity.models import SourceRecord
from hongyan.ingest.models import Import

HEADER = ("file", "import", "line", "row_id", "contact_id")
Origins = Mapping[int, tuple[str, bytes]]  # line → the row's own id, and what names the row


def keyless(origins: Origins) -> dict[int, tuple[bytes, int | None]]:
    """Line → what names the row, and the contact that came of it before."""
    rows = SourceRecord.objects.filter(fingerprint__in=[print_ for _, print_ in origins.values()]).order_by("-id")
    known = {
        bytes(print_): contact_id
        for print_, contact_id in rows.values_list("fingerprint", "contact_id")
        if print_ is not None
    }
    now = current_ids(known.values())
    alive = set(
        Contact.objects.filter(pk__in=any_of({now.get(pk, pk) for pk in known.values()})).values_list("pk", flat=True)
    )
    owners = {print_: now.get(pk, pk) for print_, pk in known.items() if now.get(pk, pk) in alive}
    return {line: (print_, owners.get(print_)) for line, (_, print_) in origins.items()}


def keep(import_id: int, origins: Origins, outcomes: Sequence[RowOutcome]) -> None:
    seal, named = keyring().records.seal, keyring().blind.index
    SourceRecord.objects.bulk_create(
        [
            SourceRecord(
                import_id=import_id,
                line=item.ref,
                contact_id=item.contact_id,
                sealed=seal(origins[item.ref][0].encode(), owner_id=item.contact_id),
                fingerprint=origins[item.ref][1],
                named=named("source_row", origins[item.ref][0]),
            )
            for item in outcomes
            if item.contact_id is not None and item.ref in origins
        ],
        batch_size=2_000,
    )


def clusters_write(*, actor: Actor, target: TextIO) -> int:
    """CSV: every row that was imported and the contact it belongs to now, merges followed. Returns how many."""
    actor.require(Permission.CONTACT_IDENTITY)
    writer = csv.writer(target)
    writer.writerow(HEADER)
    count = 0
    for line in _lines():
        writer.writerow(line)
        count += 1
    record(
        actor=actor, action="identity.clusters_exported", subject_kind="contacts", subject_id="", data={"rows": count}
    )
    return count


def _lines() -> Iterator[tuple[str, str, int, str, str]]:
    files = {
        pk: (name, str(public_id)) for pk, name, public_id in Import.objects.values_list("pk", "file_name", "public_id")
    }
    rows = SourceRecord.objects.order_by("import_id", "line", "id").values_list(
        "import_id", "line", "sealed", "contact_id"
    )
    for block in batched(rows.iterator(chunk_size=5_000), 5_000):
        now = current_ids({contact_id for *_, contact_id in block})
        wanted = {now.get(contact_id, contact_id) for *_, contact_id in block}
        public = dict(Contact.objects.filter(pk__in=any_of(wanted)).values_list("pk", "public_id"))
        for import_id, line, sealed, contact_id in block:
            person = public.get(now.get(contact_id, contact_id))
            if person is not None:
                row_id = open_record(sealed, owner_id=contact_id).decode()
                yield *files.get(import_id, ("", "")), line, row_id, str(person)
