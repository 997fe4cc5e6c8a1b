"""Reads. The pages above check AUDIT_VIEW; this room stands below accounts and cannot."""

from django.db.models import QuerySet

from hongyan.audit.models import AuditEntry
from hongyan.audit.types import AuditFilter, AuditRow


def audit_page(*, filters: AuditFilter, before_id: int | None = None, limit: int = 50) -> list[AuditRow]:
    """Newest first, by key. Ask for one more than you show to learn whether there is a next page."""
    rows = _filtered(filters)
    if before_id is not None:
        rows = rows.filter(id__lt=before_id)
    return [_row(entry) for entry in rows.order_by("-id")[:limit]]


def audit_of_subject(*, subject_kind: str, subject_id: str, limit: int = 50) -> list[AuditRow]:
    return audit_page(filters=AuditFilter(subject_kind=subject_kind, subject_id=subject_id), limit=limit)


def audit_actions() -> list[str]:
    """Every action that occurs, for the filter. A loose index scan: quick however long the log is."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE found AS (
              (SELECT action FROM audit_auditentry ORDER BY action USING ~<~ LIMIT 1)
              UNION ALL
              SELECT (SELECT entry.action FROM audit_auditentry entry WHERE entry.action ~>~ found.action
                       ORDER BY entry.action USING ~<~ LIMIT 1)
                FROM found WHERE found.action IS NOT NULL
            ) SELECT action FROM found WHERE action IS NOT NULL
            """
        )
        return [row[0] for row in cursor.fetchall()]


def _filtered(filters: AuditFilter) -> QuerySet[AuditEntry]:
    rows = AuditEntry.objects.all()
    if filters.action:
        rows = rows.filter(action__startswith=filters.action)
    if filters.actor_kind:
        rows = rows.filter(actor_kind=filters.actor_kind)
    if filters.actor_id is not None:
        rows = rows.filter(actor_id=filters.actor_id)
    if filters.subject_kind:
        rows = rows.filter(subject_kind=filters.subject_kind)
    if filters.subject_id:
        rows = rows.filter(subject_id=filters.subject_id)
    if filters.since is not None:
        rows = rows.filter(at__gte=filters.since)
    if filters.until is not None:
        rows = rows.filter(at__lt=filters.until)
    return rows


def _row(entry: AuditEntry) -> AuditRow:
    return AuditRow(
        entry.pk,
        entry.seq,
        entry.at,
        entry.actor_kind,
        entry.actor_id,
        entry.actor_label,
        entry.ip,
        entry.action,
        entry.subject_kind,
        entry.subject_id,
        entry.data,
    )
