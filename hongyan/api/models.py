from django.db import models


class IdempotentCall(models.Model):
    """A POST with an Idempotency-Key: its answer is kept a day and given again to a repeat."""

    key_id = models.BigIntegerField()  # the API key
    name = models.CharField(max_length=200)  # what the caller sent
    request_sha256 = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(null=True)  # none: still running
    content_type = models.CharField(max_length=120, blank=True)
    sealed_body = models.BinaryField(null=True)  # answers may hold personal data
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key_id", "name"], name="idempotent_call_once")]
