from typing import Any, ClassVar

from django.db import models


class TransactionId(models.Field):  # type: ignore[type-arg]  # not subscriptable at run time
    """PostgreSQL's 64-bit transaction id; the database fills it in."""

    def db_type(self, connection: Any) -> str:
        del connection
        return "xid8"


class AuditEntry(models.Model):
    """One act. Triggers refuse UPDATE (but the one sealing), DELETE and TRUNCATE. No foreign keys: entries outlive
    what they speak of."""

    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=160)
    ip = models.GenericIPAddressField(null=True)
    action = models.CharField(max_length=80)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64, blank=True)
    data = models.JSONField(default=dict)
    xid = TransactionId(db_default=models.Func(function="pg_current_xact_id"), editable=False)
    seq = models.BigIntegerField(null=True, unique=True)  # place in the chain; NULL until sealed
    prev_hash = models.BinaryField(null=True)
    hash = models.BinaryField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["id"], name="audit_unsealed", condition=models.Q(seq=None)),
            models.Index(fields=["subject_kind", "subject_id", "-id"], name="audit_by_subject"),
            models.Index(fields=["actor_kind", "actor_id", "-id"], name="audit_by_actor"),
            models.Index(
                fields=["action", "-id"], name="audit_by_action", opclasses=["varchar_pattern_ops", "int8_ops"]
            ),
            models.Index(fields=["-at"], name="audit_by_time"),
        ]
