"""Values of companies in their standard form. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from hongyan.contacts import normalise
from hongyan.contacts.errors import InvalidValues, NormaliseProblem
from hongyan.contacts.normalise.text import folded

FIELDS: Final = ("name", "domain", "external_id", "industry", "size", "country", "city")
SIZES: Final = ("1", "2-10", "11-50", "51-200", "201-500", "501-1000", "1001-5000", "5001-10000", "10001+")
_UPPER: Final = (1, 10, 50, 200, 500, 1000, 5000, 10_000)
ATTRIBUTES_CAP: Final = 50
# Mailboxes that anybody can have say nothing about where a person works.
FREE_MAIL: Final = frozenset(
    """
    gmail.com googlemail.com outlook.com hotmail.com live.com msn.com hotmail.co.uk hotmail.fr hotmail.de live.cn
    outlook.de outlook.fr live.co.uk live.nl yahoo.com yahoo.co.uk yahoo.fr yahoo.de yahoo.co.jp yahoo.com.cn
    yahoo.cn yahoo.com.hk yahoo.com.tw yahoo.co.in yahoo.ca ymail.com rocketmail.com aol.com icloud.com me.com
    mac.com qq.com vip.qq.com foxmail.com 163.com 126.com yeah.net vip.163.com vip.126.com 188.com sina.com
    sina.cn vip.sina.com sohu.com tom.com 139.com 189.cn wo.cn 21cn.com aliyun.com 263.net gmx.com gmx.de gmx.net
    gmx.at web.de t-online.de freenet.de mail.com mail.ru yandex.ru yandex.com rambler.ru bk.ru list.ru inbox.ru
    proton.me protonmail.com pm.me tutanota.com tuta.io fastmail.com hey.com zoho.com orange.fr wanadoo.fr free.fr
    sfr.fr laposte.net libero.it virgilio.it tiscali.it alice.it naver.com hanmail.net daum.net nate.com
    docomo.ne.jp ezweb.ne.jp softbank.ne.jp i.softbank.jp comcast.net verizon.net att.net sbcglobal.net cox.net
    charter.net btinternet.com sky.com virginmedia.com ntlworld.com talktalk.net bigpond.com optusnet.com.au
    telus.net shaw.ca rogers.com sympatico.ca uol.com.br bol.com.br terra.com.br rediffmail.com hinet.net
    pchome.com.tw netvigator.com example.com example.org example.net
    """.split()  # noqa: SIM905  # a list of words
)


def company_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidValues; a name that is not one of ``FIELDS`` or ``attributes`` is a problem too."""
    found, problems = dict[str, Any](), dict[str, str]()
    for key, value in given.items():
        try:
            if key == "attributes":
                found[key] = _attributes(value)
            elif key in _READERS:
                text = "" if value is None else str(value).strip()
                found[key] = _READERS[key](text) if text else ""
            else:
                raise NormaliseProblem("unknown_field")
        except NormaliseProblem as problem:
            problems[key] = problem.code
    if problems:
        raise InvalidValues(problems)
    return found


def size_band(text: str) -> str:
    """A head count or a range as one of ``SIZES``.

    >>> size_band("120"), size_band("51–200"), size_band("1,500 employees"), size_band("10000+")
    ('51-200', '51-200', '1001-5000', '10001+')
    """
    word = folded(text).replace("–", "-").replace("—", "-").replace("~", "-").replace(",", "").replace(" ", "")
    if word in SIZES:
        return word
    digits = "".join(character if character.isdigit() else " " for character in word).split()
    if not digits or len(digits[-1]) > 9:
        raise NormaliseProblem("company_size")
    count = int(digits[-1]) + (1 if word.rstrip("人名员工employs").endswith("+") else 0)
    if count < 1:
        raise NormaliseProblem("company_size")
    return next((band for band, upper in zip(SIZES, _UPPER, strict=False) if count <= upper), SIZES[-1])


def name_key(name: str) -> str:
    """Under which a name is found again: width, case and spaces aside."""
    return folded(name).replace(" ", "")[:200]


def is_free_mail(domain: str) -> bool:
    return domain.lower() in FREE_MAIL


def _domain(text: str) -> str:
    """Also from a web address: https://www.example.cn/about → example.cn."""
    host = text.lower().split("://")[-1].split("/")[0].rpartition("@")[2].split(":")[0].removeprefix("www.")
    try:
        return normalise.domain(host)
    except NormaliseProblem as problem:
        raise NormaliseProblem("domain") from problem


def _attributes(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or len(value) > ATTRIBUTES_CAP:
        raise NormaliseProblem("attributes")
    found = {}
    for key, held in value.items():
        if not isinstance(key, str) or not isinstance(held, (str, int, float, bool, type(None))):
            raise NormaliseProblem("attributes")
        if held is not None:
            found[normalise.line(key, limit=60)] = normalise.line(held, limit=500) if isinstance(held, str) else held
    return found


_READERS: dict[str, Callable[[str], str]] = {
    "name": lambda text: normalise.line(text, limit=200),
    "domain": _domain,
    "external_id": lambda text: normalise.line(text, limit=120),
    "industry": lambda text: normalise.line(text, limit=120),
    "size": size_band,
    "country": normalise.country,
    "city": lambda text: normalise.line(text, limit=120),
}
