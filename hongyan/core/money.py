"""Money is integer minor units with an ISO 4217 code; rates keep numerator and denominator until the page."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

# ISO 4217 (2018 table): currencies whose minor unit is not 1/100.
_EXPONENTS = {
    "BHD": 3, "CLF": 4, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0, "KMF": 0, "KRW": 0,
    "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3, "UGX": 0, "UYI": 0, "UYW": 4, "VND": 0, "VUV": 0,
    "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip


def exponent(currency: str) -> int:
    """How many decimal places the currency's minor unit has.

    >>> exponent("JPY"), exponent("CNY"), exponent("KWD")
    (0, 2, 3)
    """
    return _EXPONENTS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Money:
    amount_minor: int
    currency: str

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: str) -> "Money":
        """From major units, rounding half to even at the minor unit.

        >>> Money.of("19.90", "CNY")
        Money(amount_minor=1990, currency='CNY')
        """
        scaled = Decimal(amount).scaleb(exponent(currency))
        return cls(int(scaled.quantize(Decimal(1), rounding=ROUND_HALF_EVEN)), currency)

    def major(self) -> Decimal:
        return Decimal(self.amount_minor).scaleb(-exponent(self.currency))
