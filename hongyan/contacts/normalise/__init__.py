"""Bringing values into their standard form. Pure: text in, typed value out, or NormaliseProblem. No database.

>>> email(" Zhang.San@EXAMPLE.com ")
'Zhang.San@example.com'
>>> phone("138 0013 8000", region="CN")
'+8613800138000'
>>> country("中国"), sex("女"), boolean("否")
('CN', 2, False)
"""

from hongyan.contacts.errors import NormaliseProblem
from hongyan.contacts.normalise.address import domain, email
from hongyan.contacts.normalise.names import Name, clean_name, name, split_name
from hongyan.contacts.normalise.places import country, language, time_zone
from hongyan.contacts.normalise.plain import boolean, choice, currency, line, number, paragraph, sex, url
from hongyan.contacts.normalise.telephone import phone
from hongyan.contacts.normalise.times import DateOrder, date, moment

__all__ = [
    "DateOrder",
    "Name",
    "NormaliseProblem",
    "boolean",
    "choice",
    "clean_name",
    "country",
    "currency",
    "date",
    "domain",
    "email",
    "language",
    "line",
    "moment",
    "name",
    "number",
    "paragraph",
    "phone",
    "sex",
    "split_name",
    "time_zone",
    "url",
]
