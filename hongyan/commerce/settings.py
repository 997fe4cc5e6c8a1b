"""The organisation's currency, and what other currencies are worth in it."""

from collections.abc import Mapping
from decimal import Decimal

from django.db import transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.commerce.errors import MoneyRefused
from hongyan.commerce.models import CommerceSettings
from hongyan.commerce.money import checked_currency, decimal_of
from hongyan.core.money import exponent

_MOST_RATES = 60


def commerce_settings() -> CommerceSettings:
    """Defaults until somebody saved any."""
    return CommerceSettings.objects.filter(pk=1).first() or CommerceSettings(pk=1)


def commerce_settings_change(*, actor: Actor, currency: str, rates: Mapping[str, str]) -> CommerceSettings:
    """rates: decimal text by currency. Raises MoneyRefused with the currency at fault. Totals follow by the job
    ``commerce_facts``, which the caller starts."""
    actor.require(Permission.SETTINGS_EDIT)
    home = checked_currency(currency)
    if len(rates) > _MOST_RATES:
        raise MoneyRefused("too_many_rates", "rates")
    clean: dict[str, str] = {}
    for name, text in rates.items():
        code = checked_currency(name)
        value = decimal_of(text)
        if not 0 < value < 10**9:
            raise MoneyRefused("rate", code)
        if code != home:
            clean[code] = format(value.normalize(), "f")
    with transaction.atomic():
        row = CommerceSettings(pk=1, currency=home, rates=clean)
        row.save()
        record(
            actor=actor,
            action="commerce.settings_changed",
            subject_kind="commerce",
            subject_id="1",
            data={"currency": home, "rates": sorted(clean)},
        )
    return row


def factors(row: CommerceSettings) -> dict[str, Decimal]:
    """By currency: minor units of the organisation's currency in one minor unit of it."""
    home = exponent(row.currency)
    known = {code: Decimal(rate).scaleb(home - exponent(code)) for code, rate in row.rates.items()}
    return {**known, row.currency: Decimal(1)}
