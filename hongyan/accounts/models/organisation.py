from django.db import models


class OrganisationSettings(models.Model):
    """The one organisation of this installation; always the row with id 1."""

    class SecondFactor(models.TextChoices):
        OFF = "off"
        REMIND = "remind"  # privileged people see a reminder
        REQUIRE = "require"  # and can do nothing else before they have set one up

    name = models.CharField(max_length=160, blank=True)
    postal_address = models.TextField(blank=True, max_length=500)  # stands in the footer of mails
    default_language = models.CharField(max_length=16, default="zh-hans")
    time_zone = models.CharField(max_length=64, default="Asia/Shanghai")
    second_factor = models.CharField(max_length=8, choices=SecondFactor, default=SecondFactor.REMIND)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_organisation")]
