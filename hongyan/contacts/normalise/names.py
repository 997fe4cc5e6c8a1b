"""Names: tidy, without forms of address, Chinese ones split into surname and given name."""

import re

from hongyan.contacts.normalise.text import tidy

_COMPOUND = frozenset(
    (
        "欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 太叔 申屠 "
        "公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 "
        "拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 梁丘 左丘 东门 西门 "
    ).split()
)
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff·]+")
_TITLES_ZH = re.compile(r"(先生|女士|小姐|太太|老师|同学|经理|总监|总|博士|教授|医生)$")
_TITLES_EN = re.compile(r"^(mr|mrs|ms|miss|dr|prof|sir|madam)\.?\s+", re.IGNORECASE)


def clean_name(text: str) -> str:
    """Tidy, without 先生, 女士, Mr. and the like; at most 120 characters.

    >>> clean_name(" 张伟先生 "), clean_name("Dr. Ann  Lee")
    ('张伟', 'Ann Lee')
    """
    name = tidy(text)[:120]
    if is_han(name):
        shorter = _TITLES_ZH.sub("", name)
        return shorter if len(shorter) >= 2 else name
    return _TITLES_EN.sub("", name)


def is_han(name: str) -> bool:
    return bool(name) and _HAN.fullmatch(name.replace(" ", "")) is not None


def split_name(full: str) -> tuple[str, str]:
    """(family name, given name); Western names split at the last space, Chinese ones by the table of compound surnames.

    >>> split_name("欧阳娜娜"), split_name("王伟"), split_name("Ann Mary Lee"), split_name("Lee, Ann")
    (('欧阳', '娜娜'), ('王', '伟'), ('Lee', 'Ann Mary'), ('Lee', 'Ann'))
    """
    name = clean_name(full)
    if is_han(name):
        joined = name.replace(" ", "")
        if (
            "·" in joined or len(joined) == 1
        ):  # transcribed foreign names and single characters have no surname to cut off
            return "", joined
        cut = 2 if joined[:2] in _COMPOUND and len(joined) > 2 else 1
        return joined[:cut], joined[cut:]
    family, comma, given = name.partition(",")
    if comma:
        return family.strip(), given.strip()
    given, _space, family = name.rpartition(" ")
    return (family, given) if given else ("", name)
