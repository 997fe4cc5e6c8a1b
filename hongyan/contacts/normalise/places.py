"""Countries, languages, time zones, currencies, by code or by name in Chinese or English."""

from functools import cache
from zoneinfo import available_timezones

import pycountry
from babel import Locale
from django.utils.translation import gettext as _

from hongyan.contacts.normalise.problem import NormaliseProblem
from hongyan.contacts.normalise.text import folded, tidy

_COUNTRY_WORDS = {
    "uk": "GB", "u.k.": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "great britain": "GB", "usa": "US",
    "u.s.a.": "US", "u.s.": "US", "america": "US", "eire": "IE", "prc": "CN", "p.r.china": "CN", "p.r. china": "CN",
    "china mainland": "CN", "mainland china": "CN", "中国大陆": "CN", "中国内地": "CN", "中华人民共和国": "CN", "中國": "CN",
    "香港": "HK", "中国香港": "HK", "hong kong": "HK", "澳门": "MO", "中国澳门": "MO", "台湾": "TW", "中国台湾": "TW",
    "korea": "KR", "south korea": "KR", "韩国": "KR", "russia": "RU", "俄罗斯": "RU", "holland": "NL", "vietnam": "VN",
    "uae": "AE", "czech republic": "CZ", "türkiye": "TR", "turkey": "TR", "deutschland": "DE", "españa": "ES",
}  # fmt: skip
_LANGUAGE_WORDS = {
    "中文": "zh-Hans", "简体中文": "zh-Hans", "简体": "zh-Hans", "chinese": "zh-Hans", "simplified chinese": "zh-Hans",
    "汉语": "zh-Hans", "zh": "zh-Hans", "zh-cn": "zh-Hans", "zh-hans-cn": "zh-Hans", "zh-sg": "zh-Hans", "cn": "zh-Hans",
    "zh-hans": "zh-Hans", "繁体中文": "zh-Hant", "繁體中文": "zh-Hant", "traditional chinese": "zh-Hant", "zh-tw": "zh-Hant",
    "zh-hk": "zh-Hant-HK", "zh-hant": "zh-Hant", "jp": "ja", "kr": "ko",
}  # fmt: skip
_ZONE_WORDS = {
    "北京时间": "Asia/Shanghai", "中国": "Asia/Shanghai", "beijing": "Asia/Shanghai", "asia/beijing": "Asia/Shanghai",
    "cst": "", "utc": "Etc/UTC", "gmt": "Etc/UTC", "utc+8": "Asia/Shanghai", "utc+08:00": "Asia/Shanghai",
    "gmt+8": "Asia/Shanghai", "+08:00": "Asia/Shanghai",
}  # fmt: skip


def country(text: str) -> str:
    """ISO 3166-1 alpha-2. Raises NormaliseProblem.

    >>> country("中国"), country("United Kingdom"), country("DEU"), country("usa")
    ('CN', 'GB', 'DE', 'US')
    """
    found = _countries().get(folded(text))
    if found is None:
        raise NormaliseProblem("country_unknown", _("This is not a country; use its name or its ISO 3166 code."))
    return found


def language(text: str) -> str:
    """BCP 47, with the script for Chinese. Raises NormaliseProblem.

    >>> language("简体中文"), language("EN_us"), language("German"), language("法语")
    ('zh-Hans', 'en-US', 'de', 'fr')
    """
    word = folded(text).replace("_", "-")
    found = _LANGUAGE_WORDS.get(word) or _languages().get(word)
    if found is None:
        found = _tag(word)
    if found is None:
        raise NormaliseProblem(
            "language_unknown", _("This is not a language; use its name or its code, such as zh-Hans or en.")
        )
    return found


def time_zone(text: str) -> str:
    """IANA name. Abbreviations that mean several zones (CST) are refused. Raises NormaliseProblem.

    >>> time_zone("asia/shanghai"), time_zone("北京时间")
    ('Asia/Shanghai', 'Asia/Shanghai')
    """
    word = folded(text).replace(" ", "_") if "/" in text else folded(text)
    found = _ZONE_WORDS.get(word) or _zones().get(word)
    if not found:
        raise NormaliseProblem("time_zone_unknown", _("This is not a time zone; use a name such as Asia/Shanghai."))
    return found


def currency(text: str) -> str:
    """ISO 4217. Raises NormaliseProblem.

    >>> currency("cny"), currency("人民币"), currency("£")
    ('CNY', 'CNY', 'GBP')
    """
    found = _currencies().get(folded(text))
    if found is None:
        raise NormaliseProblem("currency_unknown", _("This is not a currency; use its ISO 4217 code, such as CNY."))
    return found


@cache
def _countries() -> dict[str, str]:
    names: dict[str, str] = {}
    for item in pycountry.countries:
        for word in (
            item.alpha_2,
            item.alpha_3,
            item.name,
            getattr(item, "common_name", ""),
            getattr(item, "official_name", ""),
        ):
            if word:
                names[folded(word)] = item.alpha_2
    for code in ("zh_Hans", "zh_Hant", "en"):
        for alpha_2, name in Locale.parse(code).territories.items():
            if len(alpha_2) == 2 and alpha_2.isalpha() and pycountry.countries.get(alpha_2=alpha_2):
                names.setdefault(folded(name), alpha_2)
    return names | _COUNTRY_WORDS


@cache
def _languages() -> dict[str, str]:
    names: dict[str, str] = {}
    for code in ("zh_Hans", "en"):
        for tag, name in Locale.parse(code).languages.items():
            if "_" not in tag:
                names.setdefault(folded(name), _LANGUAGE_WORDS.get(tag, tag))
    return names


def _tag(word: str) -> str | None:
    parts = word.split("-")
    if not (parts[0].isascii() and parts[0].isalpha() and len(parts[0]) in (2, 3)) or len(parts) > 3:
        return None
    known = pycountry.languages.get(alpha_2=parts[0]) or pycountry.languages.get(alpha_3=parts[0])
    if known is None:
        return None
    found = [getattr(known, "alpha_2", None) or known.alpha_3]
    for part in parts[1:]:
        if len(part) == 4 and part.isalpha():
            found.append(part.title())
        elif len(part) == 2 and pycountry.countries.get(alpha_2=part.upper()):
            found.append(part.upper())
        else:
            return None
    return "-".join(found)


@cache
def _zones() -> dict[str, str]:
    return {
        name.casefold(): name
        for name in available_timezones()
        if "/" in name and not name.startswith(("posix/", "right/"))
    }


@cache
def _currencies() -> dict[str, str]:
    names = {item.alpha_3.casefold(): item.alpha_3 for item in pycountry.currencies}
    for code in ("zh_Hans", "en"):
        for alpha_3, name in Locale.parse(code).currencies.items():
            if alpha_3.casefold() in names:
                names.setdefault(folded(name), alpha_3)
    return names | {"rmb": "CNY", "¥": "CNY", "￥": "CNY", "元": "CNY", "£": "GBP", "€": "EUR", "us$": "USD"}


def tidy_place(text: str) -> str:
    """A city or region as people write it, tidy; capped at 120 characters."""
    return tidy(text)[:120]
