"""What can go wrong here. ``code`` is stable; ``words`` make sentences of it."""


class CommerceRefused(Exception):
    """The caller can mend it. ``field`` names the value at fault, if one is."""

    def __init__(self, code: str, field: str = "") -> None:
        super().__init__(code)
        self.code, self.field = code, field


class MoneyRefused(CommerceRefused):
    """An amount that is none: no number, too large, or finer than the currency's smallest unit."""


class CommerceMissing(Exception):
    """There is no such order, product or shop."""


class ShopRefused(CommerceRefused):
    """A shop cannot be connected like this, or does not answer as it should."""
