"""Phone numbers in E.164 (ITU-T), with the numbering plans of the phonenumbers library."""

import re
import unicodedata

import phonenumbers

from hongyan.contacts.errors import NormaliseProblem
from hongyan.contacts.normalise.text import tidy

# Mainland mobile numbers, most of what Chinese files hold, need no parser (43 µs): 1, 3–9, nine digits.
_CN_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})")
_LONGEST = 15  # digits of E.164 with the country's; some national plans allow more
_SEPARATORS = re.compile(r"[\s\-‐-―().·]")


def phone(text: str, region: str = "CN") -> str:
    """E.164. region: ISO 3166 code that numbers without a country code belong to; "" if none is to be assumed.

    Raises NormaliseProblem (phone_…). Extensions are refused: E.164 has none.
    """
    if region == "CN" and text.isascii() and (mobile := _CN_MOBILE.fullmatch(text)):
        return f"+86{mobile[1]}"
    raw = unicodedata.normalize("NFKC", tidy(text))
    raw = raw[4:] if raw[:4].lower() == "tel:" else raw
    digits = _SEPARATORS.sub("", raw)
    mobile = _CN_MOBILE.fullmatch(digits)
    if mobile and (region == "CN" or not digits.startswith("1")):
        return f"+86{mobile[1]}"
    if not 4 <= len(digits) <= 24:
        raise NormaliseProblem("phone_form")
    return _parsed(raw, region)


def _parsed(raw: str, region: str) -> str:
    try:
        number = phonenumbers.parse(raw, region or None)
    except phonenumbers.NumberParseException as error:
        missing = error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        raise NormaliseProblem("phone_region" if missing else "phone_form") from error
    if number.extension or not phonenumbers.is_valid_number(number):
        raise NormaliseProblem("phone_invalid")
    formatted: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if len(formatted) > 1 + _LONGEST:
        raise NormaliseProblem("phone_invalid")
    return formatted
