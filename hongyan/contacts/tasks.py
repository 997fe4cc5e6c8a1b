"""Periodic work of this room."""

from hongyan.contacts.signup_expiry import expire_unconfirmed
from hongyan.jobs.registry import periodic


@periodic(cron="23 * * * *", name="contacts.expire_signups")
def expire_signups() -> None:
    """In slices, so that one night after a flood of sign-ups does not hold the worker."""
    for _ in range(20):
        if not expire_unconfirmed():
            return
