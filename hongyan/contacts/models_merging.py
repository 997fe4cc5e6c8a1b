"""Where records that were merged away are found now."""

from django.db import models
from django.db.models.functions import Now


class MergedAway(models.Model):
    """A record that was merged into another: its old ids lead to the contact it is now, also through further merges."""

    contact_id = models.BigIntegerField(unique=True)
    public_id = models.UUIDField(unique=True)
    into = models.ForeignKey("contacts.Contact", on_delete=models.CASCADE, related_name="merged_away")
    at = models.DateTimeField(db_default=Now())
