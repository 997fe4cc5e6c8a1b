"""The file against what was kept of it, line by line, each difference with its reason."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from hongyan.ingest.commerce.types import OrderCounts


@dataclass(frozen=True, slots=True)
class Compared:
    name: str
    label: str
    file: str
    kept: str
    same: bool
    why: str


def labels() -> dict[str, str]:
    return {
        "lines": _("Lines"),
        "orders": _("Orders, credit notes and adjustments"),
        "credits": _("of them credit notes (cancelled)"),
        "credit_lines": _("Lines of credit notes"),
        "articles": _("Articles and other codes"),
        "customers": _("Customers"),
        "no_customer": _("Lines without a customer"),
        "no_title": _("Lines without a description"),
        "duplicates": _("Lines that repeat another one exactly"),
        "amount": _("Sum of quantity × price"),
        "clean_lines": _("Sales lines: customer known, quantity and price above zero"),
        "clean_customers": _("Customers of the sales lines"),
        "clean_orders": _("Orders of the sales lines"),
        "clean_amount": _("Sum of the sales lines"),
    }


def comparison(counts: OrderCounts) -> list[Compared]:
    """Only what both sides know."""
    found = []
    for name, label in labels().items():
        if name not in counts.file or name not in counts.kept:
            continue
        file, kept = Decimal(str(counts.file[name])), Decimal(str(counts.kept[name]))
        same = file == kept
        why = "" if same else _why(name, counts)
        found.append(Compared(name, label, _shown(file), _shown(kept), same, why))
    if counts.kept.get("credits"):
        found.append(_tied(counts))
    if "booked_minor" in counts.kept:
        found.append(_booked(counts))
    return found


def _tied(counts: OrderCounts) -> Compared:
    return Compared(
        "tied",
        _("Lines of credit notes whose order was found"),
        "—",
        f"{int(counts.kept['credit_lines_tied']):,}",
        same=True,
        why=_("The others take back what was bought before the file begins, or are discounts and charges."),
    )


def _booked(counts: OrderCounts) -> Compared:
    amount = Decimal(str(counts.file.get("amount", "0")))
    return Compared(
        "booked",
        _("Sum of the booked amounts, in the smallest unit of the currency"),
        _shown(amount),
        f"{int(counts.kept['booked_minor']):,}",
        same=True,
        why=_("Each line is booked in whole cents (half to even); prices finer than a cent stay exact beside it."),
    )


def _why(name: str, counts: OrderCounts) -> str:
    if counts.rejected and name not in {"duplicates", "customers"}:
        return _("Rejected rows are not kept; their reasons are listed with the import.")
    reasons: dict[str, Callable[[], str]] = {
        "customers": lambda: _("Some IDs belong to one contact, or their person was erased and is not brought back."),
        "clean_customers": lambda: _(
            "Some IDs belong to one contact, or their person was erased and is not brought back."
        ),
        "credits": lambda: _("Documents that only take back count as credit notes, whatever their number begins with."),
        "credit_lines": lambda: _(
            "Documents that only take back count as credit notes, whatever their number begins with."
        ),
        "no_customer": lambda: _(
            "The customer of an order counts for all its lines, also where a row leaves it empty."
        ),
        "duplicates": lambda: _(
            "All of them are kept: shops do enter an article twice. An order has one time, so lines of different"
            " minutes that are otherwise the same count as repeats here."
        ),
    }
    make = reasons.get(name)
    return make() if make is not None else _("Orders of the same numbers were changed by something newer.")


def _shown(value: Decimal) -> str:
    return f"{value:,f}"
