"""Periodic work of this room."""

from hongyan.api.idempotency import forget_old
from hongyan.jobs.registry import periodic


@periodic(cron="7 * * * *", name="api.forget_old_answers")
def forget_old_answers() -> None:
    """Kept answers may hold personal data: not an hour longer than promised."""
    forget_old()
