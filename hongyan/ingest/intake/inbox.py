"""What was accepted and is not yet processed."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min, Sum

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.ingest.models_intake import IntakeRequest


@dataclass(frozen=True, slots=True)
class Waiting:
    calls: int
    since: datetime | None


def waiting(*, actor: Actor) -> Waiting:
    actor.require(Permission.REPORT_VIEW)
    found = IntakeRequest.objects.aggregate(calls=Sum("calls"), since=Min("received_at"))
    return Waiting(found["calls"] or 0, found["since"])
