# ruff: noqa: E501, ARG001 - tables of Han, which count double; errors share one signature
"""A generated truth set of Chinese people with the errors that Chinese customer files have. Seeded: the same every time.

Everybody has one to four records. Errors: the wrong character of the input method (same sound), traditional characters,
pinyin in either order and several spellings, Cantonese and Wade-Giles surnames, an English given name, titles, full-width
digits, spaces in and prefixes before telephone numbers, a wrong or swapped digit, a new number, a move, day and month
swapped, missing fields, a typo in the e-mail. Around them live people who are easily taken for them: namesakes, husband
and wife and children at one address, twins.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from opencc import OpenCC
from pypinyin import Style, lazy_pinyin

from hongyan.contacts.normalise.chinese import ROMANISED, pinyin, surname_pinyin
from hongyan.identity.matching.record import Record

SEED = 7
# The most frequent surnames with their share in per mille (公安部 2019–2021), and some that are often misread.
_SURNAMES_TEXT = """
    王 71 李 70 张 67 刘 54 陈 46 杨 31 黄 22 赵 21 吴 19 周 19 徐 15 孙 15 马 12 朱 12 胡 12 郭 11 何 11 林 11 高 10 罗 9 郑 9
    梁 8 谢 8 宋 7 唐 7 许 6 韩 6 邓 6 冯 6 曹 6 彭 6 曾 6 肖 6 田 5 董 5 潘 5 袁 5 蔡 5 蒋 5 余 5 于 5 杜 4 叶 4 程 4 魏 4 苏 4 吕 4
    丁 4 任 4 卢 4 姚 4 沈 4 钟 4 姜 4 崔 4 谭 4 陆 4 范 4 汪 4 廖 3 石 3 金 3 韦 3 贾 3 夏 3 付 3 方 3 邹 3 熊 3 白 3 孟 3 秦 3 邱 3 侯 3 江 3
    单 1 仇 1 解 1 区 1 查 1 朴 1 盖 1 翟 2 缪 1 乐 1 覃 2 华 1 欧阳 2 司马 1 上官 1 诸葛 1
"""
_GIVEN_TEXT = """
    伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 秀 霞 平 刚 桂 英 华 玉 兰 红 梅 琴 建 国 文 志 海 波 辉 鹏 飞 斌 浩 宇 轩 子 涵 梓 萱 欣 怡
    雨 晨 佳 嘉 思 诗 语 晓 小 春 冬 雪 云 龙 凤 龙 成 永 健 世 广 荣 光 天 达 安 岩 中 茂 进 林 有 坚 和 彪 博 诚 先 敬 震 振 壮 会 思 群 豪 心 邦 承
    宁 琳 莹 莉 洁 燕 玲 倩 婷 颖 露 瑶 珊 慧 巧 美 惠 珠 翠 雅 芝 萍 月 莺 媛 瑞 凡 佩 环 素 青 倩 婉 瑾 薇 菲 岚 苑 筠 馨 霭 凝 毓 俊 峰 亮 政 谦 亨
    奇 固 之 轮 翰 朗 伯 宏 言 若 鸣 朋 梁 栋 维 启 克 伦 翔 旭 泽 辰 士 以 家 致 树 炎 德 行 时 泰 盛 雄 琛 钧 冠 策 腾 楠 榕 风 航 弘
"""
_HOMOPHONES_TEXT = """
    伟玮纬炜 芳方 娜那 敏闽 静靖婧竞 丽莉利立 磊蕾垒 军俊均钧 洋阳扬杨 勇永咏 艳燕彦雁 杰洁捷 娟涓 涛滔 明铭鸣 超朝 秀绣 霞侠 平萍坪 刚钢纲 英瑛莹
    华桦 玉钰毓 兰岚澜 红宏洪虹鸿 梅玫 琴勤芹 建健剑 国帼 文雯闻 志智致 海 波博 辉晖慧惠 鹏朋 飞菲斐 斌彬滨 浩皓昊 宇雨羽语 轩萱 子梓紫 涵晗函 欣鑫馨新
    怡宜仪 晨辰晟 佳嘉家 思斯丝 诗施 晓筱小 春椿 雪学 云芸 龙隆 成诚承程 世士仕 荣蓉容榕 光广 天添 林琳霖 琪奇琦 婷亭廷 颖影 瑶遥 玲灵铃凌 峰锋丰枫 旭绪
"""
_ENGLISH = [
    "Jack",
    "Amy",
    "Kevin",
    "Lily",
    "David",
    "Cindy",
    "Tony",
    "Grace",
    "Jason",
    "Emily",
    "Eric",
    "Vivian",
    "Leo",
    "Helen",
    "Frank",
    "Alice",
    "Peter",
    "Linda",
]
_CITIES = {
    "北京": ("北京", "10"), "上海": ("上海", "20"), "广州": ("广东", "51"), "深圳": ("广东", "518"), "杭州": ("浙江", "31"),
    "南京": ("江苏", "21"), "成都": ("四川", "61"), "武汉": ("湖北", "43"), "西安": ("陕西", "71"), "重庆": ("重庆", "40"),
    "苏州": ("江苏", "215"), "天津": ("天津", "30"), "长沙": ("湖南", "41"), "青岛": ("山东", "266"), "厦门": ("福建", "361"),
    "香港": ("香港", ""), "台北": ("台湾", "10"),
}  # fmt: skip
_ROADS = [
    "中山",
    "人民",
    "解放",
    "建国",
    "新华",
    "和平",
    "南京",
    "北京",
    "长江",
    "黄河",
    "文化",
    "学院",
    "体育",
    "滨江",
    "科技",
    "创新",
    "迎宾",
    "朝阳",
    "东风",
    "胜利",
    "光明",
    "友谊",
    "民主",
    "幸福",
]
_TURNS = ("", "东", "西", "南", "北", "一", "二")
_HOSTS = ["qq.com", "163.com", "126.com", "gmail.com", "sina.com", "outlook.com", "foxmail.com", "139.com"]
_TITLES = ("先生", "女士", "老师", "经理")


@dataclass(frozen=True, slots=True)
class TrueRecord:
    person: int
    record: Record


class _Chance(random.Random):
    """taken: addresses that somebody has. A provider gives each out once, so that two people never have the same."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.taken: set[str] = set()


@dataclass(frozen=True, slots=True)
class _Person:
    family: str
    given: str
    sex: str
    birth: str
    phone: str
    email: str
    city: str
    street: str


def generated(people: int, *, seed: int = SEED, duplicates: float | None = None) -> list[TrueRecord]:
    """Records in random order. ``people`` counts those of their own; households and namesakes come on top.

    duplicates: share of people with a second record; None: 38 % have two to four.
    """
    rnd = _Chance(seed)
    found: list[TrueRecord] = []
    number = 0
    for _ in range(people):
        person = _person(rnd)
        for one in (person, *_relatives(rnd, person)):
            found += [TrueRecord(number, record) for record in _records(rnd, one, duplicates)]
            number += 1
    rnd.shuffle(found)
    return found


def _person(rnd: _Chance) -> _Person:
    family = rnd.choices(*_surnames())[0]
    given = "".join(rnd.choice(_givens()) for _ in range(1 if rnd.random() < 0.2 else 2))
    city = rnd.choice(list(_CITIES))
    born = f"{rnd.randint(1945, 2006)}-{rnd.randint(1, 12):02}-{rnd.randint(1, 28):02}"
    return _Person(
        family, given, rnd.choice("12"), born, _phone(rnd), _email(rnd, family, given, born), city, _street(rnd)
    )


def _relatives(rnd: _Chance, person: _Person) -> Iterator[_Person]:
    """Who is easily taken for this person."""
    other = _person(rnd)
    kind = rnd.random()
    if kind < 0.10:  # husband or wife: keeps the own surname, shares the home
        yield replace(other, city=person.city, street=person.street)
    elif kind < 0.16:  # child: shares surname and home, maybe the telephone
        yield replace(
            other,
            family=person.family,
            city=person.city,
            street=person.street,
            phone=rnd.choice((person.phone, other.phone)),
        )
    elif kind < 0.17:  # twin
        yield replace(other, family=person.family, city=person.city, street=person.street, birth=person.birth)
    elif kind < 0.25:  # namesake
        yield replace(other, family=person.family, given=person.given)


def _records(rnd: _Chance, person: _Person, duplicates: float | None) -> Iterator[Record]:
    many = rnd.choices((1, 2, 3, 4), (62, 27, 8, 3))[0] if duplicates is None else 1 + (rnd.random() < duplicates)
    for place in range(many):
        yield _record(rnd, person, first=place == 0)


def _record(rnd: _Chance, person: _Person, *, first: bool) -> Record:
    region, post = _CITIES[person.city]
    record = Record(
        full_name=person.family + person.given,
        email=person.email if rnd.random() < 0.6 else "",
        phone=person.phone if rnd.random() < 0.8 else "",
        street=person.street if rnd.random() < 0.6 else "",
        city=person.city if rnd.random() < 0.8 else "",
        region=region if rnd.random() < 0.7 else "",
        postal_code=(post + "0000")[:6] if post and rnd.random() < 0.4 else "",
        birth_date=person.birth if rnd.random() < 0.6 else "",
        sex=person.sex if rnd.random() < 0.6 else "",
        country="CN",
    )
    if first and rnd.random() < 0.6:
        return record
    for change, chance in _CHANGES:
        if rnd.random() < chance:
            record = change(rnd, person, record)
    return record


def _homophone(rnd: _Chance, person: _Person, record: Record) -> Record:
    place = rnd.randrange(len(person.given))
    same = [mark for mark in _homophones().get(person.given[place], "") if mark != person.given[place]]
    if not same:
        return record
    given = person.given[:place] + rnd.choice(same) + person.given[place + 1 :]
    return replace(record, full_name=person.family + given)


def _traditional(rnd: _Chance, person: _Person, record: Record) -> Record:
    del rnd, person
    convert = _to_traditional().convert
    return replace(
        record, full_name=convert(record.full_name), city=convert(record.city), street=convert(record.street)
    )


def _in_pinyin(rnd: _Chance, person: _Person, record: Record) -> Record:
    """Wang Xiaoming, Xiaoming Wang, WANG XIAO MING, Xiao-Ming Wong, given_name and family_name apart; ü as v, u or yu."""
    family, given = "".join(surname_pinyin(person.family)).capitalize(), list(pinyin(person.given))
    if rnd.random() < 0.2:
        family = rnd.choice([*_spellings().get(family.lower(), ()), family]).capitalize()
    umlaut = rnd.choice(("v", "u", "yu"))
    joined = rnd.choice(("", " ", "-")).join(given).replace("v", umlaut).title()
    family = family.replace("v", umlaut)
    if rnd.random() < 0.3:
        return replace(record, full_name="", family_name=family, given_name=joined)
    whole = f"{family} {joined}" if rnd.random() < 0.5 else f"{joined} {family}"
    return replace(record, full_name=whole.upper() if rnd.random() < 0.3 else whole)


def _english(rnd: _Chance, person: _Person, record: Record) -> Record:
    family = "".join(surname_pinyin(person.family)).capitalize()
    return replace(record, full_name=f"{_ENGLISH[hash_of(person) % len(_ENGLISH)]} {family}")


def hash_of(person: _Person) -> int:
    return sum(map(ord, person.family + person.given + person.birth))


def _titled(rnd: _Chance, person: _Person, record: Record) -> Record:
    del person
    return replace(record, full_name=record.full_name + rnd.choice((" ", "")) + rnd.choice(_TITLES))


def _full_width(rnd: _Chance, person: _Person, record: Record) -> Record:
    del rnd, person
    table = str.maketrans("0123456789", "０１２３４５６７８９")
    return replace(record, phone=record.phone.translate(table), street=record.street.translate(table))


def _phone_form(rnd: _Chance, person: _Person, record: Record) -> Record:
    del person
    if not record.phone.isascii():
        return record
    number = record.phone
    forms = (
        f"+86 {number}",
        f"86-{number}",
        f"{number[:3]} {number[3:7]} {number[7:]}",
        f"{number[:3]}-{number[3:7]}-{number[7:]}",
    )
    return replace(record, phone=rnd.choice(forms)) if number else record


def _phone_typo(rnd: _Chance, person: _Person, record: Record) -> Record:
    del person
    return replace(record, phone=_slip(rnd, record.phone, "0123456789", 3))


def _phone_new(rnd: _Chance, person: _Person, record: Record) -> Record:
    del person
    return replace(record, phone=_phone(rnd)) if record.phone else record


def _moved(rnd: _Chance, person: _Person, record: Record) -> Record:
    city = rnd.choice([person.city, *_CITIES])
    region, post = _CITIES[city]
    return replace(
        record,
        city=city if record.city else "",
        region=region if record.region else "",
        street=_street(rnd) if record.street else "",
        postal_code=(post + "0000")[:6] if post and record.postal_code else "",
    )


def _address_form(rnd: _Chance, person: _Person, record: Record) -> Record:
    """With province and city in front, or without the flat."""
    if not record.street:
        return record
    if rnd.random() < 0.5:
        return replace(record, street=f"{_CITIES[person.city][0]}省{person.city}市{record.street}")
    return replace(record, street=record.street.partition("号")[0] + "号")


def _day_month(rnd: _Chance, person: _Person, record: Record) -> Record:
    del rnd, person
    year, month, day = record.birth_date.split("-") if record.birth_date else ("", "", "")
    return replace(record, birth_date=f"{year}-{day}-{month}") if day and int(day) <= 12 else record


def _birth_typo(rnd: _Chance, person: _Person, record: Record) -> Record:
    del person
    return replace(record, birth_date=_slip(rnd, record.birth_date, "0123456789", 3))


def _email_typo(rnd: _Chance, person: _Person, record: Record) -> Record:
    del person
    user, at, host = record.email.partition("@")
    return replace(record, email=_slip(rnd, user, "abcdefghijklmnopqrstuvwxyz", 0) + at + host) if at else record


def _email_other(rnd: _Chance, person: _Person, record: Record) -> Record:
    return replace(record, email=_email(rnd, person.family, person.given, person.birth)) if record.email else record


_Change = Callable[[_Chance, _Person, Record], Record]
_CHANGES: tuple[tuple[_Change, float], ...] = (
    (_homophone, 0.10), (_traditional, 0.08), (_in_pinyin, 0.15), (_english, 0.03), (_titled, 0.05),
    (_phone_new, 0.08), (_phone_typo, 0.06), (_phone_form, 0.25), (_moved, 0.10), (_address_form, 0.25),
    (_full_width, 0.05), (_day_month, 0.02), (_birth_typo, 0.04), (_email_typo, 0.05), (_email_other, 0.12),
)  # fmt: skip


def _slip(rnd: _Chance, text: str, alphabet: str, start: int) -> str:
    """One character wrong, missing, twice, or two in the wrong order."""
    if len(text) < start + 3:
        return text
    at = rnd.randrange(start, len(text) - 1)
    if not text[at].isalnum():
        return text
    kind = rnd.randrange(4)
    if kind == 0:
        return text[:at] + rnd.choice(alphabet) + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :] if kind == 2 else text[:at] + text[at] + text[at:]


def _phone(rnd: _Chance) -> str:
    return f"1{rnd.choice('35789')}{rnd.randrange(10**9):09}"


def _email(rnd: _Chance, family: str, given: str, birth: str) -> str:
    user, _, host = _address(rnd, family, given, birth).partition("@")
    while f"{user}@{host}" in rnd.taken:
        user += "1"
    rnd.taken.add(f"{user}@{host}")
    return f"{user}@{host}"


def _address(rnd: _Chance, family: str, given: str, birth: str) -> str:
    host = rnd.choice(_HOSTS)
    if host == "qq.com":
        return f"{rnd.randrange(10**8, 10**10)}@{host}"
    sounds = lazy_pinyin(family + given, style=Style.NORMAL)
    user = rnd.choice(
        ("".join(sounds), sounds[0] + "".join(sound[0] for sound in sounds[1:]), "".join(sounds[1:]) + sounds[0])
    )
    return f"{user}{rnd.choice((birth[:4], birth[2:4], birth[5:7] + birth[8:], str(rnd.randrange(1000))))}@{host}"


def _street(rnd: _Chance) -> str:
    road = rnd.choice(_ROADS) + rnd.choice(_TURNS) + "路"
    return f"{road}{rnd.randint(1, 999)}号{rnd.randint(1, 30)}栋{rnd.randint(1, 30)}{rnd.randint(1, 6):02}室"


@cache
def _surnames() -> tuple[list[str], list[int]]:
    words = _SURNAMES_TEXT.split()
    return words[::2], [int(share) for share in words[1::2]]


@cache
def _givens() -> list[str]:
    return _GIVEN_TEXT.split()


@cache
def _homophones() -> dict[str, str]:
    return {mark: group for group in _HOMOPHONES_TEXT.split() for mark in group}


@cache
def _spellings() -> dict[str, tuple[str, ...]]:
    """Pinyin surname → how it may be spelled elsewhere."""
    found: dict[str, tuple[str, ...]] = {}
    for spelling, readings in ROMANISED.items():
        for reading in readings:
            if spelling != reading:
                found[reading] = (*found.get(reading, ()), spelling)
    return found


@cache
def _to_traditional() -> OpenCC:
    return OpenCC("s2t")
