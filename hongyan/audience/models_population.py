"""The manifest of the population: which files count and as of when each is."""

from django.db import models
from django.db.models.functions import Now


class PopulationState(models.Model):
    """One row (pk 1), made when the first build begins."""

    tx = models.BigIntegerField(default=0)  # chunks without a file were empty for all transactions below
    cluster = models.CharField(max_length=32)  # whose transaction numbers these and the files' are
    built_at = models.DateTimeField(null=True)  # when every chunk had been written once; None: files cannot answer yet
    passed_at = models.DateTimeField(null=True)  # when the writer last looked


class PopulationFile(models.Model):
    """Immutable once written but for ``tx``, which moves on while nobody in it is touched. It counts from the commit of
    this row until ``retired_at``; then the file is kept a while for those who are still reading."""

    path = models.TextField(unique=True)
    chunk = models.BigIntegerField()  # contact ids from chunk × 65,536
    type_id = models.BigIntegerField(null=True)  # of objects; None: people
    tx = models.BigIntegerField()  # the file has everything of all transactions below
    rows = models.IntegerField()
    bytes = models.BigIntegerField()
    sha256 = models.BinaryField(max_length=32)
    columns = models.JSONField()  # name → [kind, precision, scale, signature, whether a value was too long for it]
    made_at = models.DateTimeField(db_default=Now())
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chunk", "type_id"],
                name="population_file_once",
                condition=models.Q(retired_at=None),
                nulls_distinct=False,
            )
        ]
