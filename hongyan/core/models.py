from django.db import models


class DataKey(models.Model):
    """A data key, wrapped by the master key. Old versions stay until nothing is sealed with them."""

    class Purpose(models.TextChoices):
        SEAL = "seal"  # AES-256-GCM of identifying data; rotated online
        INDEX = "index"  # blind indexes; one for the life of the installation (see decision 0003)
        SIGN = "sign"  # tokens in links; old versions stay valid for good

    purpose = models.CharField(max_length=8, choices=Purpose)
    version = models.PositiveSmallIntegerField()
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["purpose", "version"], name="datakey_version_once")]
