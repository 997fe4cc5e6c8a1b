"""How an audience answers to mails and what it buys, beside everyone.

Rates are of people, not of mails: of those who got a mail in the window, how many opened or clicked one. Opens and
clicks by machines are left out.
"""

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


def engagement(*, actor: Actor, tree: Any, catalogue: Catalogue, days: int = DAYS) -> Engagement:
    """Raises BadTree."""
    actor.require(Permission.CONTACT_VIEW)
    members_sql(tree, catalogue=catalogue)  # refuses a wrong tree before it is put among others
    mailed = {"event": "email_sent", "within_days": days}
    asked: list[Any] = [
        {"everyone": True},
        mailed,
        _and(mailed, {"event": "email_opened", "within_days": days, "where": _BY_PEOPLE}),
        _and(mailed, {"event": "email_clicked", "within_days": days, "where": _BY_PEOPLE}),
        _and(mailed, {"event": "email_unsubscribed", "within_days": days}),
        {"event": "order_completed", "within_days": days},
    ]
    found = sizes([_and(tree, part) for part in asked] + asked, catalogue)
    counts = [size or 0 for size in found[:-1]]
    here, everyone = counts[: len(asked)], counts[len(asked) :]

    def rate(part: int, whole: int) -> Rate:
        return Rate(here[part], here[whole], everyone[part], everyone[whole])

    return Engagement(rate(1, 0), rate(2, 1), rate(3, 1), rate(4, 1), rate(5, 0))


def worth(
    *,
    actor: Actor,
    tree: Any,
    catalogue: Catalogue,
    members: SQL | None = None,
    engine: Engine | str = Engine.AUTO,
) -> Worth:
    """What they bought in all, in the organisation's currency. members: where their ids already stand, for when rows
    are read. Raises BadTree."""
    actor.require(Permission.CONTACT_VIEW)
    engine = routed(engine)
    told = None if engine is Engine.POSTGRES else _by_columns(tree, catalogue, engine)
    if told is not None:
        return told
    members = members or members_sql(tree, catalogue=catalogue)
    text = statement("hongyan.audience", "insight.sql", "worth").replace("/*members*/", members.text)
    *numbers, currency = rows.query(text, {**members.params, "currency": "CNY"})[0]
    return Worth(Money(*numbers[:4]), Money(*numbers[4:]), currency)


def _by_columns(tree: Any, catalogue: Catalogue, engine: Engine) -> Worth | None:
    """None where files cannot answer."""
    from hongyan.audience.insight import columns  # brings DuckDB along

    with columns.told(
        tree, ("orders.count", "orders.total"), catalogue=catalogue, now=clock.now(), engine=engine
    ) as people:
        if people is None:
            return None
        currency = commerce_settings().currency
        numbers = columns.bought(people, exponent(currency))
        return Worth(Money(*numbers[:4]), Money(*numbers[4:]), currency)


def _and(*parts: Any) -> dict[str, Any]:
    return {"all": list(parts)}
