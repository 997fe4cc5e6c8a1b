from django.db import models


class Hit(models.Model):
    """A pixel or link that was fetched, as it came. ``digest`` makes an event of it and keeps it a minute
    more, until its neighbours are judged too."""

    class Kind(models.IntegerChoices):
        OPEN = 1
        CLICK = 2

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    kind = models.SmallIntegerField(choices=Kind)
    message_id = models.BigIntegerField()
    month = models.DateField()
    link = models.IntegerField(null=True)  # index in the content version; none: a personal link
    user_agent = models.TextField(default="")
    digested = models.BooleanField(default=False, db_default=False)

    class Meta:
        indexes = [
            models.Index(fields=["message_id", "at"], name="edge_hit_message"),
            models.Index(fields=["id"], condition=models.Q(digested=False), name="edge_hit_waiting"),
        ]
