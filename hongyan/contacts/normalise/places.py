"""Countries (ISO 3166-1 alpha-2), languages (BCP 47), time zones (IANA)."""

import re
from functools import cache
from zoneinfo import available_timezones

import babel
import pycountry

from hongyan.contacts.errors import NormaliseProblem
from hongyan.contacts.normalise.text import folded

# What people write and no register lists.
_COUNTRY_WORDS = {
    "中国大陆": "CN", "中华人民共和国": "CN", "prc": "CN", "p.r. china": "CN", "p.r.china": "CN", "mainland china": "CN",
    "china mainland": "CN", "中国香港": "HK", "香港": "HK", "hong kong sar": "HK", "中国澳门": "MO", "澳门": "MO",
    "macao": "MO", "macau": "MO", "中国台湾": "TW", "台湾": "TW", "台灣": "TW", "中國": "CN", "美國": "US", "英國": "GB",
    "usa": "US", "u.s.": "US", "u.s.a.": "US", "america": "US", "uk": "GB", "u.k.": "GB", "england": "GB",
    "scotland": "GB", "wales": "GB", "northern ireland": "GB", "great britain": "GB", "eire": "IE", "holland": "NL",
    "south korea": "KR", "korea": "KR", "韩国": "KR", "北韩": "KP", "russia": "RU", "俄国": "RU", "uae": "AE",
    "阿联酋": "AE", "vietnam": "VN", "taiwan": "TW", "czech republic": "CZ", "turkey": "TR", "ivory coast": "CI",
    "burma": "MM", "channel islands": "JE", "rsa": "ZA",
}  # fmt: skip

_LANGUAGE_WORDS = {
    "中文": "zh-Hans", "简体中文": "zh-Hans", "简体": "zh-Hans", "汉语": "zh-Hans", "国语": "zh-Hans", "普通话": "zh-Hans",
    "chinese": "zh-Hans", "simplified chinese": "zh-Hans", "chinese (simplified)": "zh-Hans", "zh-cn": "zh-Hans",
    "zh-sg": "zh-Hans", "zh-hans-cn": "zh-Hans", "zh": "zh-Hans", "cn": "zh-Hans",
    "繁体中文": "zh-Hant", "繁體中文": "zh-Hant", "繁体": "zh-Hant", "繁體": "zh-Hant", "traditional chinese": "zh-Hant",
    "chinese (traditional)": "zh-Hant", "zh-tw": "zh-Hant", "zh-hk": "zh-Hant", "zh-mo": "zh-Hant",
    "粤语": "yue", "广东话": "yue", "cantonese": "yue", "日文": "ja", "日语": "ja", "韩文": "ko", "英文": "en",
    "法文": "fr", "德文": "de", "俄文": "ru", "西班牙文": "es", "jp": "ja", "kr": "ko",
}  # fmt: skip
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-(?P<script>[a-z]{4}))?(?:-(?P<region>[a-z]{2}|\d{3}))?"
    r"(?P<variants>(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*)"
)
_ZONE_WORDS = {
    "北京时间": "Asia/Shanghai", "中国标准时间": "Asia/Shanghai", "beijing": "Asia/Shanghai", "北京": "Asia/Shanghai",
    "上海": "Asia/Shanghai", "asia/beijing": "Asia/Shanghai", "prc": "Asia/Shanghai", "gmt+8": "Asia/Shanghai",
    "utc+8": "Asia/Shanghai", "utc+08:00": "Asia/Shanghai", "gmt+08:00": "Asia/Shanghai", "+08:00": "Asia/Shanghai",
    "香港": "Asia/Hong_Kong", "台北": "Asia/Taipei", "东京": "Asia/Tokyo", "首尔": "Asia/Seoul", "纽约": "America/New_York",
    "伦敦": "Europe/London", "新加坡": "Asia/Singapore", "悉尼": "Australia/Sydney", "巴黎": "Europe/Paris",
    "china standard time": "Asia/Shanghai", "utc": "Etc/UTC", "gmt": "Etc/GMT", "z": "Etc/UTC",
    "eastern standard time": "America/New_York", "pacific standard time": "America/Los_Angeles",
    "central standard time": "America/Chicago", "gmt standard time": "Europe/London",
    "tokyo standard time": "Asia/Tokyo", "w. europe standard time": "Europe/Berlin",
}  # fmt: skip


def country(text: str) -> str:
    """Alpha-2 from a code or a name in Chinese or English.

    >>> country("United Kingdom"), country("德国"), country("usa"), country("ＣＮ")
    ('GB', 'DE', 'US', 'CN')
    """
    code = _countries().get(folded(text))
    if code is None:
        raise NormaliseProblem("country")
    return code


def language(text: str) -> str:
    """A BCP 47 tag in its canonical case; Chinese becomes zh-Hans or zh-Hant.

    >>> language("EN_us"), language("zh-CN"), language("繁體中文"), language("法语"), language("German")
    ('en-US', 'zh-Hans', 'zh-Hant', 'fr', 'de')
    """
    word = folded(text).replace("_", "-")
    known = _LANGUAGE_WORDS.get(word) or _languages().get(word)
    if known:
        return known
    tag = _TAG.fullmatch(word)
    if tag is None or len(word) > 35 or tag["language"] not in _language_codes():
        raise NormaliseProblem("language")
    if tag["script"] and pycountry.scripts.get(alpha_4=tag["script"].title()) is None:
        raise NormaliseProblem("language")
    if tag["region"] and not tag["region"].isdigit() and tag["region"].upper() not in _countries().values():
        raise NormaliseProblem("language")
    parts = [_shortest(tag["language"]), (tag["script"] or "").title(), (tag["region"] or "").upper()]
    return "-".join(filter(None, parts)) + tag["variants"]


def time_zone(text: str) -> str:
    """An IANA zone name in its own case.

    >>> time_zone("asia/shanghai"), time_zone("北京时间"), time_zone("America/New York")
    ('Asia/Shanghai', 'Asia/Shanghai', 'America/New_York')
    """
    word = folded(text)
    found = _ZONE_WORDS.get(word) or _zones().get(word.replace(" ", "_"))
    if found is None:
        raise NormaliseProblem("time_zone")
    return found


@cache
def _countries() -> dict[str, str]:
    """Folded name or code → alpha-2: alpha-2, alpha-3, English and Chinese names."""
    found: dict[str, str] = {}
    locales = [babel.Locale("zh", script="Hans"), babel.Locale("zh", script="Hant"), babel.Locale("en")]
    for entry in pycountry.countries:
        code = entry.alpha_2
        names = {
            code,
            entry.alpha_3,
            entry.name,
            getattr(entry, "official_name", ""),
            getattr(entry, "common_name", ""),
        }
        names |= {str(locale.territories.get(code, "")) for locale in locales}
        found.update({folded(name): code for name in names if name})
    return found | _COUNTRY_WORDS


@cache
def _languages() -> dict[str, str]:
    found: dict[str, str] = {}
    for locale in (babel.Locale("zh", script="Hans"), babel.Locale("zh", script="Hant"), babel.Locale("en")):
        for code, name in locale.languages.items():
            if "_" not in code and code in _language_codes():
                found.setdefault(folded(str(name)), code)
    return found


@cache
def _language_codes() -> frozenset[str]:
    entries = list(pycountry.languages)
    return frozenset({entry.alpha_3 for entry in entries} | {getattr(entry, "alpha_2", "") for entry in entries} - {""})


@cache
def _shortest(code: str) -> str:
    """RFC 5646 §2.2.1: the two-letter code where there is one."""
    entry = pycountry.languages.get(alpha_3=code)
    return str(getattr(entry, "alpha_2", code)) if entry else code


@cache
def _zones() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones() if "/" in name or name in {"UTC", "GMT"}}
