"""Names of people, Chinese and Western: titles off, family and given name told apart."""

import re
import unicodedata
from dataclasses import dataclass

from hongyan.contacts.errors import NormaliseProblem
from hongyan.contacts.normalise.text import tidy

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3007"
_ALL_HAN = re.compile(f"[{HAN}·•・]+")
_TIDY_HAN = re.compile("[\u4e00-\u9fff]+")  # already in NFC, nothing invisible, nothing to narrow
_HAN_WITH_SPACES = re.compile(f"[{HAN}·•・ ]+")

# Two-character family names in use (百家姓 and later registers).
COMPOUND_SURNAMES = frozenset(
    "欧阳 歐陽 司马 司馬 上官 诸葛 諸葛 东方 東方 皇甫 尉迟 尉遲 公孙 公孫 慕容 司徒 令狐 宇文 长孙 長孫 夏侯 轩辕 軒轅 端木 "
    "百里 东郭 東郭 南宫 南宮 呼延 归海 羊舌 微生 公冶 太叔 申屠 公羊 澹台 澹臺 濮阳 濮陽 单于 單于 赫连 赫連 闻人 聞人 钟离 鍾離 "
    "独孤 獨孤 拓跋 万俟 萬俟 宗政 淳于 鲜于 鮮于 闾丘 闾邱 司空 丌官 司寇 仉督 子车 颛孙 巫马 公西 漆雕 乐正 樂正 壤驷 公良 夹谷 "
    "宰父 谷梁 段干 东里 第五 左丘 西门 西門 梁丘 南门 仲孙 仲孫 贺兰 賀蘭 完颜 完顏 叶赫 那拉 纳兰 納蘭 富察 钮祜禄 爱新觉罗 瓜尔佳 "
    "叶赫那拉 赫舍里 乌雅 范姜 陆费".split()
)
_LONGEST_SURNAME = 4
_TITLES = re.compile(r"(?:先生|女士|小姐|太太|夫人|老师|同学|总经理|经理|总监|教授|博士|医生|律师)$")
_WESTERN_TITLES = re.compile(r"^(?:mr|mrs|ms|miss|mx|dr|prof|sir|herr|frau|mme|m)\.?\s+", re.IGNORECASE)
_WESTERN_SUFFIX = re.compile(r",?\s+(?:jr|sr|ii|iii|iv|phd|ph\.d|md|esq)\.?$", re.IGNORECASE)
_PARTICLES = frozenset(
    "van von der den de la le du da dos di del della bin binti ibn al el ten ter st st. mc o'".split()
)
_PLACEHOLDERS = frozenset(
    "无 未知 不详 测试 匿名 null none n/a na nil unknown test undefined - -- . [姓名] 姓名 name".split()
)


@dataclass(frozen=True, slots=True)
class Name:
    full_name: str
    family_name: str
    given_name: str


def name(*, full: str = "", family: str = "", given: str = "") -> Name:
    """What was given, with the missing parts worked out. Titles (先生, Dr.) come off; placeholders (未知, n/a) count as empty.

    >>> name(full="欧阳娜娜 女士")
    Name(full_name='欧阳娜娜', family_name='欧阳', given_name='娜娜')
    >>> name(full="Ludwig van Beethoven").family_name, name(family="王", given="小明").full_name
    ('van Beethoven', '王小明')
    """
    family, given, full = clean_name(family), clean_name(given), clean_name(full)
    if not full:
        return Name(joined(family, given), family, given)
    if family or given:
        return Name(full, family, given)
    family, given = split_name(full)
    return Name(joined(family, given) if _ALL_HAN.fullmatch(family + given) else full, family, given)


def split_name(full: str) -> tuple[str, str]:
    """(family, given). Chinese: compound family names first, else the first character. Western: the last word with its
    particles, or what stands before a comma. A single word is a given name.
    """
    if _HAN_WITH_SPACES.fullmatch(full):
        return _split_han(full)
    if "," in full:
        family, _, given = full.partition(",")
        return family.strip(), given.strip()
    words = full.split()
    if len(words) == 1:
        return "", full
    start = len(words) - 1
    while start > 1 and words[start - 1].lower() in _PARTICLES:
        start -= 1
    return " ".join(words[start:]), " ".join(words[:start])


def joined(family: str, given: str) -> str:
    """In the order of the script: 王小明, but Ada Lovelace."""
    if family and given and _ALL_HAN.fullmatch(family + given):
        return family + given
    return " ".join(filter(None, (given, family)))


def _split_han(full: str) -> tuple[str, str]:
    words = full.split()
    if len(words) == 2 and (words[0] in COMPOUND_SURNAMES or len(words[0]) == 1):
        return words[0], words[1]
    whole = "".join(words)
    if any(mark in whole for mark in "·•・") or len(whole) == 1:
        return "", whole  # transliterated (阿依古丽·买买提): no family name to be told apart
    for length in range(min(_LONGEST_SURNAME, len(whole) - 1), 1, -1):
        if whole[:length] in COMPOUND_SURNAMES:
            return whole[:length], whole[length:]
    return whole[0], whole[1:]


def clean_name(text: str) -> str:
    """Without titles; "" for placeholders.

    >>> clean_name(" 张伟先生 "), clean_name("Dr. Ann  Lee"), clean_name("未知")
    ('张伟', 'Ann Lee', '')
    """
    if not text:
        return ""
    if not _TIDY_HAN.fullmatch(text):
        text = tidy(text) if text.isascii() else tidy(_narrow(text))
    if len(text) > 200:
        raise NormaliseProblem("too_long")
    if text.casefold() in _PLACEHOLDERS:
        return ""
    if text.isascii() or not _TITLES.search(text):
        return _WESTERN_SUFFIX.sub("", _WESTERN_TITLES.sub("", text)).strip() or text
    return _TITLES.sub("", text).strip() or text


def _narrow(text: str) -> str:
    """Full-width letters and digits to their usual form; Han and punctuation stay."""
    return "".join(unicodedata.normalize("NFKC", mark) if "\uff01" <= mark <= "\uff5e" else mark for mark in text)
