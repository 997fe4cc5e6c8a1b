from django.contrib.postgres.fields import ArrayField
from django.db import models

from hongyan.accounts.models.users import User
from hongyan.core.ids import uuid7


class ApiKey(models.Model):
    """A program's way in. It may do what its scopes say, and never more than the person who made it may now."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, unique=True)  # finds the row; shown in lists
    secret_hash = models.BinaryField()  # SHA-256; the secret has 256 random bits, so no slow hash is needed
    scopes = ArrayField(models.CharField(max_length=40))
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)  # to the minute
    revoked_at = models.DateTimeField(null=True)
