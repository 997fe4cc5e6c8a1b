"""From what people write to the standard forms: E.164, ISO 3166, ISO/IEC 5218, BCP 47, IANA zones, ISO 4217, ISO 8601.

Pure functions, text in, value out; what cannot be understood raises ``NormaliseProblem`` with a code and a text in the
reader's language. Nothing is guessed where two readings are possible.
"""

from hongyan.contacts.normalise.address import email, email_domain_of
from hongyan.contacts.normalise.names import clean_name, split_name
from hongyan.contacts.normalise.phone import phone
from hongyan.contacts.normalise.places import country, currency, language, time_zone
from hongyan.contacts.normalise.problem import NormaliseProblem
from hongyan.contacts.normalise.values import DateOrder, boolean, date, moment, number, sex

__all__ = [
    "DateOrder",
    "NormaliseProblem",
    "boolean",
    "clean_name",
    "country",
    "currency",
    "date",
    "email",
    "email_domain_of",
    "language",
    "moment",
    "number",
    "phone",
    "sex",
    "split_name",
    "time_zone",
]
