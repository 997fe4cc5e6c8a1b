"""Codes become sentences here, in the reader's language."""

from collections.abc import Callable

from django.utils.translation import gettext as _

_MISSING: dict[str, Callable[[], str]] = {
    "": lambda: "",
    "no_key": lambda: _("The source names no customer for this order."),
    "bad_key": lambda: _("The customer named in the source has no address, number or ID that can be read."),
    "erased_before": lambda: _("The customer asked to be erased and is not brought back."),
    "conflict": lambda: _("The customer's e-mail and ID belong to different contacts."),
    "erased": lambda: _("The customer was erased; the amounts stay for the accounts."),
}
_PROBLEMS: dict[str, Callable[[], str]] = {
    "number": lambda: _("This is not an amount or number."),
    "amount_range": lambda: _("This amount is too large."),
    "too_fine": lambda: _("This amount is finer than the smallest unit of its currency."),
    "currency": lambda: _("This currency is not known. Use a code such as CNY."),
    "rate": lambda: _("A rate is a number above zero."),
    "too_many_rates": lambda: _("There are too many rates."),
    "id_missing": lambda: _("The order or product has no ID."),
    "too_long": lambda: _("This value is too long."),
    "date": lambda: _("The date of the order is missing or cannot be read."),
    "refund_negative": lambda: _("A refund cannot be negative."),
    "url": lambda: _("This is not a web address. It starts with https:// or http://."),
    "source": lambda: _("A source has a name of 1 to 64 characters."),
    "state": lambda: _("This order state is not known."),
    "quantity": lambda: _("This is not a quantity."),
    "customer_differs": lambda: _("The rows of this order name different customers."),
    "currency_differs": lambda: _("The rows of this order have different currencies."),
    "order_incomplete": lambda: _(
        "Another row of the same order cannot be read; the order is left out as a whole, or its total would be wrong."
    ),
    "address": lambda: _("This is not the address of a shop that can be reached."),
    "address_taken": lambda: _("This shop is connected already."),
    "credentials": lambda: _("The shop refuses these keys."),
    "scope": lambda: _("The keys may not read orders, products or customers."),
    "not_a_shop": lambda: _("There is no shop interface at this address."),
    "unreachable": lambda: _("The shop does not answer."),
    "busy": lambda: _("The shop asks us to wait; it goes on by itself."),
    "private_address": lambda: _("This address lies in a private network."),
    "key_needed": lambda: _("Enter the keys of the shop."),
}  # fmt: skip


def missing(code: str) -> str:
    """Why an order stands without a contact."""
    make = _MISSING.get(code)
    return make() if make is not None else code


def problem(code: str) -> str:
    make = _PROBLEMS.get(code)
    return make() if make is not None else _("This value cannot be used.")


def known_problem(code: str) -> bool:
    return code in _PROBLEMS
