"""A person's name as matching compares it: plain small ASCII letters, family and given name told apart."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from hongyan.contacts.normalise import NormaliseProblem
from hongyan.contacts.normalise import name as normalise_name
from hongyan.contacts.normalise.chinese import (
    COMMON_SURNAMES,
    ROMANISED,
    is_pinyin,
    pinyin,
    simplified,
    sound,
    surname_pinyin,
)
from hongyan.identity.matching.nicknames import ROOTS

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3007]+")
_LETTERS = re.compile(r"[^a-z0-9]+")
_NYU = re.compile("(?<![aeiouv])nyu")
_HONORIFICS = re.compile(r"(?:先生|女士|小姐|太太|夫人|老师|老師|同学|總|总|经理|教授|博士|医生|律师)$")


class Name(NamedTuple):
    """given, family: as read aloud, without spaces. *_written: Han where it was Han. given_first: the first given name.
    roots: what a nickname stands for. readings: pinyin a family name may stand for. sound: fuzzy, Chinese names
    only."""

    given: str = ""
    given_written: str = ""
    given_first: str = ""
    middle: str = ""
    roots: tuple[str, ...] = ()
    family: str = ""
    family_written: str = ""
    readings: tuple[str, ...] = ()
    sound: str = ""


def folded(text: str) -> str:
    """NFKC, small letters, no accents, u-umlaut as v as in pinyin."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", text).casefold().replace("ü", "v")
    for mark, plain in (("ø", "o"), ("ß", "ss"), ("æ", "ae"), ("œ", "oe"), ("ł", "l"), ("đ", "d"), ("ı", "i")):
        text = text.replace(mark, plain)
    return "".join(mark for mark in unicodedata.normalize("NFD", text) if not unicodedata.combining(mark))


def plain(text: str) -> str:
    """Folded and in ASCII, words parted by one space: Han as pinyin, other scripts as code points.

    >>> plain("Müller-Lüdenscheidt"), plain("上海市"), plain("Ｏ’Brien")
    ('mvller lvdenscheidt', 'shanghaishi', 'o brien')
    """
    text = folded(text)
    if not text.isascii():
        text = _HAN.sub(lambda run: "".join(pinyin(simplified(run[0]))), text)
        text = "".join(mark if mark.isascii() or not mark.isalnum() else f"u{ord(mark):x}" for mark in text)
    return _LETTERS.sub(" ", text).strip()


@lru_cache(maxsize=65536)
def name_of(given: str, family: str, full: str) -> Name:
    """Raw parts in, in whatever order and script they came."""
    given, full = _untitled(given), _untitled(full)
    try:
        parts = normalise_name(full=full, family=family, given=given)
    except NormaliseProblem:
        return Name()
    family, given, full = parts.family_name, parts.given_name, parts.full_name
    if _HAN.search(family + given):
        return _han(family, given)
    return _latin(family, given, full)


def _untitled(text: str) -> str:
    """A Chinese title behind a name in letters (Huang Zhicheng 经理), or alone, is no part of the name."""
    bare = _HONORIFICS.sub("", text.strip()).strip()
    return text if _HAN.search(bare) else bare


def _han(family: str, given: str) -> Name:
    """Titles may stand on either part; a Latin given name beside a Han surname (Jack 马) keeps its letters."""
    family = simplified("".join(family.split()))
    given = simplified(_HONORIFICS.sub("", "".join(given.split())) if _HAN.search(given) else given)
    read = "".join(surname_pinyin(family)) if _HAN.search(family) else plain(family).replace(" ", "")
    if not _HAN.search(given):
        latin = plain(given).split()
        flat = "".join(latin)
        return Name(flat, flat, latin[0] if latin else "", "", (), read, family, (read,) if read else (), "")
    heard = plain(given).replace(" ", "")
    return Name(heard, given, heard, "", (), read, family, (read,) if read else (), sound(heard))


def _latin(family: str, given: str, full: str) -> Name:
    families, givens = ([_umlaut(word) for word in _words(text)] for text in (family, given))
    if full:  # middle names stand only there when the parts came apart
        known = {*families, *givens}
        givens += [word for word in map(_umlaut, _words(full)) if word not in known]
    surname, flat = _umlaut("".join(families)), "".join(givens)
    if _is_chinese(surname, givens):
        return _romanised(surname, flat)
    words = [*givens, *families]
    leading = _umlaut(words[0]) if words else ""
    if surname not in COMMON_SURNAMES and leading in COMMON_SURNAMES and _is_chinese(leading, words[1:]):
        return _romanised(leading, "".join(words[1:]))  # Zhang Wei Ming, surname first
    first = givens[0] if givens else ""
    middle = "".join(givens[1:])
    return Name(flat, first, first, middle, ROOTS.get(first, ()), surname, surname, ROMANISED.get(surname, ()), "")


def _words(text: str) -> list[str]:
    return plain(text.replace("'", "").replace("’", "")).split()


def _is_chinese(surname: str, givens: list[str]) -> bool:
    return bool(givens) and (surname in COMMON_SURNAMES or surname in ROMANISED) and all(map(is_pinyin, givens))


def _romanised(surname: str, given: str) -> Name:
    given = _umlaut(given)
    readings = (surname, *ROMANISED.get(surname, ())) if surname in COMMON_SURNAMES else ROMANISED.get(surname, ())
    return Name(given, given, given, "", (), surname, surname, tuple(dict.fromkeys(readings)), sound(given))


def _umlaut(word: str) -> str:
    """Passports write lyu for lü; here it is lv, as it is typed. An n behind a vowel ends a syllable: Xinyu is xin yu.

    >>> _umlaut("lyubu"), _umlaut("nyu"), _umlaut("xinyu"), _umlaut("yuanyuan")
    ('lvbu', 'nv', 'xinyu', 'yuanyuan')
    """
    return _NYU.sub("nv", word.replace("lyu", "lv")) if is_pinyin(word) else word
