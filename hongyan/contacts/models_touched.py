"""How far each reader of the change log has read."""

from django.db import models
from django.db.models.functions import Now


class TouchedReader(models.Model):
    """Rows of the log stay until every reader has passed them. One that has not moved for a month loses its place."""

    name = models.CharField(max_length=64, primary_key=True)
    tx = models.BigIntegerField(default=0)
    touched_id = models.BigIntegerField(default=0)
    moved_at = models.DateTimeField(db_default=Now())
