"""A line of address taken apart: number, street, and what says where in or around it."""

import re
from functools import lru_cache
from typing import NamedTuple

from hongyan.contacts.normalise.chinese import pinyin, simplified

# What a street is called besides its name, in English, German, French and Spanish, long and short.
_TYPES_TEXT = """
    street st str road rd avenue ave av lane ln drive dr drv court ct place pl close cl crescent cres cr circuit
    cct crct circ circle cir terrace tce ter parade pde boulevard blvd bvd highway hwy way wy square sq grove gr
    gve gardens gdns garden gdn walk wlk rise row view vw parkway pkwy mews esplanade esp loop track trail trl
    mount mt vista ridge rdg strasse weg platz allee gasse rue chemin calle avenida plaza via viale piazza bend
    chase link outlook reach run green
"""
_TYPES = frozenset(_TYPES_TEXT.split())
_UNIT = re.compile(r"^(?:flat|unit|apt|apartment|suite|ste|room|rm|no|number|lot|level|floor|fl|#)$")
_NUMBER = re.compile(r"\d+[a-z]?(?:[/-]\d+[a-z]?)*")
_HAN = re.compile("[\u3400-\u9fff]")
# 省市区县 come first and are fields of their own; what follows ends the street.
_CN_AREA = re.compile(r".*?(?:省|自治区|市|区|县|旗|镇|乡|街道|开发区)(?=.*[路街道巷弄村里号])")
_CN_STREET = re.compile(r"[^0-9号弄]+?(?:路|大道|大街|街|道|巷|胡同|里|村|庄|屯|线)")
_DIGITS = re.compile(r"\d+[a-z]?")


class Address(NamedTuple):
    house: str = ""
    street: str = ""
    place: str = ""  # flat, building, estate


@lru_cache(maxsize=65536)
def address(line: str) -> Address:
    """line: folded (small letters, half width). All parts come back as plain ASCII.

    >>> address("8 stanley street, miami"), address("flat 3, 12a high st")
    (Address(house='8', street='stanley', place='miami'), Address(house='12a', street='high', place='3'))
    >>> address("上海市黄浦区中山北路1238弄3号502室")
    Address(house='1238', street='zhongshanbei', place='3 502')
    """
    return _chinese(line) if _HAN.search(line) else _western(line)


def _western(line: str) -> Address:
    house, street, place = "", "", []
    for part in line.split(","):
        words = re.sub(r"[^a-z0-9/#-]+", " ", part).split()
        if not words:
            continue
        numbers = [word for word in words if _NUMBER.fullmatch(word)]
        names = [word for word in words if not _NUMBER.fullmatch(word) and not _UNIT.match(word)]
        unit = len(words) > 1 and _UNIT.match(words[0]) is not None and words[0] not in {"no", "number"}
        if unit and not names:
            place += numbers
        elif not street and names and not (place and not numbers and house):
            street = " ".join(_bare(names))
            if numbers:
                house, *more = numbers[-1].split("/")[::-1]
                place += [*more, *numbers[:-1]]
        elif not house and numbers and not names:
            house, *more = numbers[-1].split("/")[::-1]
            place += more
        else:
            place += [*numbers, *_bare(names)]
    return Address(house, street, " ".join(place))


def _bare(names: list[str]) -> list[str]:
    """Without the kind of street, unless nothing else is left."""
    kept = [name for name in names if name not in _TYPES]
    return kept or names


def _chinese(line: str) -> Address:
    text = re.sub(r"[\s,，。.、#]+", "", simplified(line))
    while (area := _CN_AREA.match(text)) is not None:
        text = text[area.end() :]
    named = _CN_STREET.match(text)
    street = re.sub(r"(?:路|大道|大街|街|道|巷|胡同)$", "", named[0]) if named else ""
    rest = text[named.end() :] if named else text
    numbers = _DIGITS.findall(rest)
    names = re.sub(r"[0-9a-z]+|[号弄栋幢座单元室楼层房组队-]", " ", rest).split()
    place = " ".join([*numbers[1:], *("".join(pinyin(name)) for name in names)])
    return Address(numbers[0] if numbers else "", "".join(pinyin(street)), _ascii(place))


def _ascii(text: str) -> str:
    return text if text.isascii() else "".join(mark if mark.isascii() else f"u{ord(mark):x}" for mark in text)
