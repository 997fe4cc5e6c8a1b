"""Undoing an import: the contacts it created are deleted again, unless something has happened with them since."""

from collections.abc import Callable

from django.db import IntegrityError, connection, transaction

from hongyan.core.clock import now
from hongyan.core.sql import statement
from hongyan.ingest.models import Import, ImportCreation
from hongyan.ingest.types import ImportState

_BATCH = 2_000


def undo_run(import_id: int, progress: Callable[[int, int | None], None]) -> int:
    """Returns how many contacts were deleted. A batch a transaction, so a second run goes on where this one stopped."""
    total = ImportCreation.objects.filter(batch_id=import_id).count()
    seen = removed = 0
    while True:
        with transaction.atomic():
            block = list(
                ImportCreation.objects.select_for_update()
                .filter(batch_id=import_id)
                .order_by("id")
                .values_list("id", "contact_id")[:_BATCH]
            )
            if not block:
                break
            removed += _delete([contact_id for _, contact_id in block])
            ImportCreation.objects.filter(id__in=[row_id for row_id, _ in block]).delete()
        seen += len(block)
        progress(seen, total)
    Import.objects.filter(pk=import_id).update(state=ImportState.UNDONE, finished_at=now())
    return removed


def _delete(contact_ids: list[int]) -> int:
    """All at once; when somebody is referred to from elsewhere (a mail was sent), one by one, and those stay."""
    try:
        with transaction.atomic():
            return _delete_now(contact_ids)
    except IntegrityError:
        if len(contact_ids) == 1:
            return 0
        return sum(_delete([contact_id]) for contact_id in contact_ids)


def _delete_now(contact_ids: list[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.ingest", "undo.sql", "delete_untouched"), {"ids": contact_ids})
        removed: int = cursor.rowcount
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # Django's foreign keys wait for the commit otherwise
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return removed
