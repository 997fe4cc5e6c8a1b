"""Writing rejections and creations of a chunk, by COPY."""

from collections.abc import Sequence

from django.db import connection

from hongyan.contacts.bulk_copy import copy_binary
from hongyan.core.crypto.keyring import keyring
from hongyan.ingest.models import ImportCreation
from hongyan.ingest.types import Reject

_INT8, _NULL = b"\x00\x00\x00\x08", b"\xff\xff\xff\xff"


def add_rejections(import_id: int, rejects: Sequence[Reject]) -> None:
    if not rejects:
        return
    seal = keyring().records.seal
    rows = []
    for reject in rejects:
        value = seal(reject.value.encode("utf-8", "replace"), owner_id=import_id)
        code = reject.code.encode()
        rows.append(
            b"\x00\x05%b%b%b%b%b%b"
            % (
                _INT8 + import_id.to_bytes(8, "big"),
                _INT8 + reject.line.to_bytes(8, "big"),
                _NULL if reject.column is None else b"\x00\x00\x00\x02" + reject.column.to_bytes(2, "big"),
                len(code).to_bytes(4, "big") + code,
                len(value).to_bytes(4, "big"),
                value,
            )
        )
    with connection.cursor() as cursor:
        copy_binary(cursor, "ingest_importrejection", ("batch_id", "line", '"column"', "code", "value"), rows)


def add_creations(import_id: int, contact_ids: Sequence[int | None]) -> None:
    head = b"\x00\x02" + _INT8 + import_id.to_bytes(8, "big") + _INT8
    rows = [head + contact_id.to_bytes(8, "big") for contact_id in contact_ids if contact_id is not None]
    if rows:
        with connection.cursor() as cursor:
            copy_binary(cursor, "ingest_importcreation", ("batch_id", "contact_id"), rows)


def created_before(import_id: int, contact_ids: Sequence[int | None]) -> set[int]:
    """Which of these contacts this import created itself, in an earlier chunk."""
    wanted = [contact_id for contact_id in contact_ids if contact_id is not None]
    if not wanted:
        return set()
    found = ImportCreation.objects.filter(batch_id=import_id, contact_id__in=wanted)
    return set(found.values_list("contact_id", flat=True))
