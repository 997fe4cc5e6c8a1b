"""How an audience answers to mails and what it buys, beside everyone.

Rates are of people, not of mails: of those who got a mail in the window, how many opened or clicked one. Opens and
clicks by machines are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience import rows
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.engines.door import routed
from hongyan.audience.engines.types import Engine
from hongyan.audience.insight.members import members_sql
from hongyan.audience.selectors import sizes
from hongyan.commerce.settings import commerce_settings
from hongyan.core import clock
from hongyan.core.money import exponent
from hongyan.core.sql import SQL, statement

DAYS: Final = 90
_BY_PEOPLE: Final = {"property": "machine", "op": "is_not_set"}


@dataclass(frozen=True, slots=True)
class Rate:
    """part of whole, in the audience and among everyone."""

    here: int
    here_of: int
    everyone: int
    everyone_of: int

    @property
    def here_rate(self) -> float | None:
        return self.here / self.here_of if self.here_of else None

    @property
    def everyone_rate(self) -> float | None:
        return self.everyone / self.everyone_of if self.everyone_of else None

    @property
    def index(self) -> int | None:
        here, everyone = self.here_rate, self.everyone_rate
        return round(100 * here / everyone) if here is not None and everyone else None


@dataclass(frozen=True, slots=True)
class Engagement:
    mailed: Rate  # of all people
    opened: Rate  # of the mailed
    clicked: Rate  # of the mailed
    unsubscribed: Rate  # of the mailed
    ordered: Rate  # of all people


@dataclass(frozen=True, slots=True)
class Money:
    """Sums of minor units of one currency over people; buyers: those with an order that counts."""

    people: int
    buyers: int
    orders: int
    total_minor: int

    @property
    def per_head_minor(self) -> int | None:
        return round(self.total_minor / self.people) if self.people else None

    @property
    def per_buyer_minor(self) -> int | None:
        return round(self.total_minor / self.buyers) if self.buyers else None

    @property
    def per_order_minor(self) -> int | None:
        return round(self.total_minor / self.orders) if self.orders else None


@dataclass(frozen=True, slots=True)
class Worth:
    here: Money
    everyone: Money
    currency: str


def engagement_and_worth(
    *,
    actor: Actor,
    tree: Any,
    catalogue: Catalogue,
    members: SQL | None = None,
    engine: Engine | str = Engine.AUTO,
    days: int = DAYS,
) -> tuple[Engagement, Worth]:
    """What they bought in all, in the organisation's currency, and how they answered to mails: of one moment where
    columns answer. members: where their ids already stand, for when rows are read. Raises BadTree."""
    actor.require(Permission.CONTACT_VIEW)
    members_sql(tree, catalogue=catalogue)  # refuses a wrong tree before it is put among others
    engine = routed(engine)
    told = None if engine is Engine.POSTGRES else _by_columns(tree, catalogue, engine, days)
    if told is not None:
        return told
    *counts, _everyone = sizes(_of_engagement(tree, days), catalogue)
    members = members or members_sql(tree, catalogue=catalogue)
    text = statement("hongyan.audience", "insight.sql", "worth").replace("/*members*/", members.text)
    *numbers, currency = rows.query(text, {**members.params, "currency": "CNY"})[0]
    return _engagement([size or 0 for size in counts]), Worth(Money(*numbers[:4]), Money(*numbers[4:]), currency)


def _by_columns(tree: Any, catalogue: Catalogue, engine: Engine, days: int) -> tuple[Engagement, Worth] | None:
    """None where files cannot answer."""
    from hongyan.audience.insight import columns  # brings DuckDB along

    keys = ("orders.count", "orders.total")
    also, now = _of_engagement(tree, days), clock.now()
    with columns.told(tree, keys, catalogue=catalogue, now=now, engine=engine, also=also) as people:
        if people is None:
            return None
        currency = commerce_settings().currency
        numbers = columns.bought(people, exponent(currency))
        return _engagement(people.also), Worth(Money(*numbers[:4]), Money(*numbers[4:]), currency)


def _of_engagement(tree: Any, days: int) -> list[Any]:
    """Whose numbers make the rates: first of these people, then of everyone."""
    mailed = {"event": "email_sent", "within_days": days}
    asked: list[Any] = [
        {"everyone": True},
        mailed,
        _and(mailed, {"event": "email_opened", "within_days": days, "where": _BY_PEOPLE}),
        _and(mailed, {"event": "email_clicked", "within_days": days, "where": _BY_PEOPLE}),
        _and(mailed, {"event": "email_unsubscribed", "within_days": days}),
        {"event": "order_completed", "within_days": days},
    ]
    return [_and(tree, part) for part in asked] + asked


def _engagement(counts: Sequence[int]) -> Engagement:
    half = len(counts) // 2
    here, everyone = counts[:half], counts[half:]

    def rate(part: int, whole: int) -> Rate:
        return Rate(here[part], here[whole], everyone[part], everyone[whole])

    return Engagement(rate(1, 0), rate(2, 1), rate(3, 1), rate(4, 1), rate(5, 0))


def _and(*parts: Any) -> dict[str, Any]:
    return {"all": list(parts)}
