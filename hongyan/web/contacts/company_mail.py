"""What became of the mails to a company's people in the last 90 days."""

from dataclasses import dataclass
from typing import Final

from django.db import connection

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.models import Company
from hongyan.core import clock
from hongyan.core.sql import statement
from hongyan.web.contacts.timeline_mails import RECENT

MOST: Final = 5_000  # people, those active last


@dataclass(frozen=True, slots=True)
class CompanyMail:
    """Mails, not people. delivered: accepted and not bounced later; machines do not count as opening or clicking."""

    delivered: int
    opened: int
    clicked: int
    bounced: int

    @property
    def any(self) -> bool:
        return bool(self.delivered or self.bounced)


def company_mail(*, actor: Actor, company: Company) -> CompanyMail:
    actor.require(Permission.CONTACT_VIEW)
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.web.contacts", "companies.sql", "engagement"),
            {"company_id": company.pk, "since": clock.now() - RECENT, "most": MOST},
        )
        return CompanyMail(*cursor.fetchone())
