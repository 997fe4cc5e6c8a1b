"""The organisation this installation serves."""

from django.conf import settings

from hongyan.accounts.errors import BadValue
from hongyan.accounts.models import OrganisationSettings
from hongyan.accounts.permissions import Permission
from hongyan.accounts.services import zone_checked
from hongyan.accounts.types import Actor
from hongyan.audit.services import record


def organisation() -> OrganisationSettings:
    """The settings; defaults until somebody saved any."""
    return OrganisationSettings.objects.filter(pk=1).first() or OrganisationSettings(
        pk=1, default_language=settings.LANGUAGE_CODE, time_zone=settings.HONGYAN_TIME_ZONE
    )


def organisation_change(
    *, actor: Actor, name: str, postal_address: str, default_language: str, time_zone: str, second_factor: str
) -> OrganisationSettings:
    """Raises BadValue."""
    actor.require(Permission.SETTINGS_EDIT)
    if default_language not in dict(settings.LANGUAGES):
        raise BadValue("default_language")
    if second_factor not in OrganisationSettings.SecondFactor.values:
        raise BadValue("second_factor")
    if not time_zone:
        raise BadValue("time_zone")
    before = organisation()
    row = OrganisationSettings(
        pk=1,
        name=name.strip()[:160],
        postal_address=postal_address.strip()[:500],
        default_language=default_language,
        time_zone=zone_checked(time_zone),
        second_factor=second_factor,
    )
    fields = ("name", "postal_address", "default_language", "time_zone", "second_factor")
    changed = [field for field in fields if getattr(before, field) != getattr(row, field)]
    row.save()
    record(
        actor=actor,
        action="organisation.changed",
        subject_kind="organisation",
        subject_id="1",
        data={"fields": changed},
    )
    return row
