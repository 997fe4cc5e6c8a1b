"""Telephone numbers in E.164."""

import unicodedata

import phonenumbers
from django.utils.translation import gettext as _

from hongyan.contacts.normalise.problem import NormaliseProblem
from hongyan.contacts.normalise.text import tidy


def phone(text: str, region: str = "CN") -> str:
    """region: ISO 3166 country for numbers without an international prefix. Raises NormaliseProblem.

    >>> phone("138 0013 8000"), phone("０１０-６２７８１２３４"), phone("(020) 7946 0018", "GB")
    ('+8613800138000', '+861062781234', '+442079460018')
    """
    digits = tidy(unicodedata.normalize("NFKC", text))
    plain = digits.translate(_PUNCTUATION)
    if (
        plain.isascii()
        and plain.isdigit()
        and len(plain) == 11
        and plain[0] == "1"
        and plain[1] in "3456789"
        and region == "CN"
    ):
        return "+86" + plain  # the usual Chinese mobile, without the library's cost
    try:
        parsed = phonenumbers.parse(digits, region or None)
    except phonenumbers.NumberParseException as error:
        raise NormaliseProblem("phone_form", _("This is not a telephone number.")) from error
    if not phonenumbers.is_possible_number(parsed):
        raise NormaliseProblem("phone_length", _("A number of this country has another length."))
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


_PUNCTUATION = str.maketrans("", "", " -()")
