from datetime import timedelta

from django.contrib.sessions.models import Session

from hongyan.accounts.models import OneTimeLink
from hongyan.core.clock import now
from hongyan.jobs.registry import periodic


@periodic(cron="41 2 * * *")
def accounts_sweep() -> None:
    """Forget links long expired and sessions that ended."""
    OneTimeLink.objects.filter(expires_at__lt=now() - timedelta(days=30)).delete()
    Session.objects.filter(expire_date__lt=now()).delete()
