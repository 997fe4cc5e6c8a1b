"""Invented people with Chinese and Western names, at reserved example domains (RFC 2606); the same for the same seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from pypinyin import Style, lazy_pinyin

_SURNAMES = (
    "王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 林 高 罗 郑 梁 谢 宋 唐 许 韩 邓 冯 曹 彭 曾 萧 田 董 潘 袁 蔡 蒋 余 于 杜 "
    "叶 程 魏 苏 吕 丁 任 卢 姚 沈 钟 姜 崔 谭 陆 汪 范 廖 石 金 韦 贾 夏 付 方 邹 熊 白 孟 秦 邱 侯 江 尹 薛 闫 雷 龙 史 陶 贺 顾 毛 "
    "郝 龚 邵 万 覃 武 钱 戴 莫 孔 向 汤 单 仇 解 区 查 翟 欧阳 司马 上官 诸葛 尉迟"
).split()
# The first surnames are borne by many: 王, 李 and 张 together by about a fifth of all.
_SURNAME_CURVE = list(accumulate(1 / (rank + 8) for rank in range(len(_SURNAMES))))
_GIVEN_ONE = "伟 芳 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 霞 平 刚 桂 鑫 宇 晨 雪 慧 婷 颖 琳 璐 倩 浩 博 凯 昊 睿 轩 然 萌 悦 彤".split()
_GIVEN_TWO = (
    "子涵 欣怡 梓轩 雨桐 浩然 诗涵 宇轩 可馨 俊杰 思远 晓明 海燕 建国 志强 秀英 玉兰 文博 佳琪 梦洁 天宇 雅婷 嘉豪 若曦 明轩 "
    "婉清 承志 国栋 春梅 立新 小红 一诺 奕辰 沐宸 语嫣 书瑶 景行 知行 清扬 如意 念慈 家辉 永康 晓晴 丹丹 亚楠 鹏飞 振华 淑芬"
).split()
_CITIES = (  # city, region, weight, time zone
    ("上海", "上海市", 16), ("北京", "北京市", 14), ("深圳", "广东省", 10), ("广州", "广东省", 10), ("杭州", "浙江省", 9),
    ("成都", "四川省", 8), ("武汉", "湖北省", 6), ("南京", "江苏省", 6), ("西安", "陕西省", 5), ("苏州", "江苏省", 5),
    ("重庆", "重庆市", 5), ("长沙", "湖南省", 4), ("青岛", "山东省", 4), ("厦门", "福建省", 3), ("昆明", "云南省", 2),
)  # fmt: skip
_STREETS = "中山路 人民路 解放大道 建设街 和平路 南京东路 文化路 长江路 学院路 滨江大道 梧桐街 桂花巷".split()
_WESTERN = (  # country, zone, language, given names, surnames, cities, streets
    ("GB", "Europe/London", "en-GB", "Oliver Amelia George Isla Harry Ava Jack Mia Noah Emily Leo Grace Arthur Freya",
     "Smith Jones Taylor Brown Williams Wilson Davies Evans Thomas Walker Wright Hughes", "London Manchester Leeds Bristol",
     "High Street;Station Road;Church Lane;Victoria Road"),
    ("DE", "Europe/Berlin", "de-DE", "Lukas Mia Jonas Emma Paul Hannah Felix Lena Maximilian Sophie Moritz Clara",
     "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Hoffmann Schäfer", "Berlin Hamburg München Köln",
     "Hauptstraße;Bahnhofstraße;Gartenweg;Lindenallee"),
    ("FR", "Europe/Paris", "fr-FR", "Gabriel Louise Raphaël Jade Léo Ambre Louis Alba Lucas Emma Hugo Chloé",
     "Martin Bernard Dubois Robert Richard Petit Durand Leroy Moreau Simon", "Paris Lyon Marseille Toulouse",
     "rue de la République;avenue Victor-Hugo;rue des Écoles"),
    ("US", "America/New_York", "en-US", "Liam Olivia Noah Emma James Charlotte Henry Amelia Theodore Sofia Lucas Mia",
     "Smith Johnson Garcia Miller Davis Rodriguez Martinez Lopez Anderson Thomas", "Boston Chicago Seattle Austin",
     "Main Street;Oak Avenue;Maple Drive;2nd Street"),
)  # fmt: skip
_DOMAINS = ("mail.example", "post.example", "youxiang.example", "example.com", "example.net", "example.org")
_COMPANIES = ("云杉科技", "Lotus Trading", "晨光文具", "Northwind Gifts", "青禾设计", "", "", "", "", "")


@dataclass(frozen=True, slots=True)
class Person:
    number: int
    given_name: str
    family_name: str
    full_name: str
    email: str
    phone: str
    sex: int
    birth_date: date | None
    street: str
    postal_code: str
    city: str
    region: str
    country: str
    language: str
    time_zone: str
    company: str


def people(*, count: int, seed: int = 20261122) -> Iterator[Person]:
    """``count`` people, about seven of ten Chinese; nobody shares an address."""
    dice = random.Random(seed)
    weights = [weight for _, _, weight in _CITIES]
    for number in range(count):
        yield _chinese(number, dice, weights) if dice.random() < 0.7 else _western(number, dice)


def _chinese(number: int, dice: random.Random, weights: list[int]) -> Person:
    family = dice.choices(_SURNAMES, cum_weights=_SURNAME_CURVE)[0]
    given = dice.choice(_GIVEN_TWO) if dice.random() < 0.72 else dice.choice(_GIVEN_ONE)
    latin = "".join(lazy_pinyin(family, style=Style.NORMAL)) + "." + "".join(lazy_pinyin(given, style=Style.NORMAL))
    city, region, _ = dice.choices(_CITIES, weights)[0]
    return Person(
        number=number,
        given_name=given,
        family_name=family,
        full_name=family + given,
        email=f"{latin}{number}@{dice.choice(_DOMAINS)}",
        phone=f"+86199{dice.randrange(10**4):04d}{number % 10**4:04d}" if dice.random() < 0.8 else "",
        sex=dice.choices((0, 1, 2), (10, 44, 46))[0],
        birth_date=_birthday(dice) if dice.random() < 0.6 else None,
        street=f"{dice.choice(_STREETS)}{dice.randrange(1, 999)}号{dice.randrange(1, 30)}室"
        if dice.random() < 0.7
        else "",
        postal_code=f"{dice.randrange(100000, 860000):06d}" if dice.random() < 0.5 else "",
        city=city,
        region=region,
        country="CN",
        language="zh-Hans",
        time_zone="Asia/Shanghai",
        company=dice.choice(_COMPANIES),
    )


def _western(number: int, dice: random.Random) -> Person:
    country, zone, language, given_names, surnames, cities, streets = dice.choices(_WESTERN, (55, 15, 10, 20))[0]
    given, family = dice.choice(given_names.split()), dice.choice(surnames.split())
    latin = f"{given}.{family}".lower().translate(str.maketrans("üäößéëç", "uaoseec"))
    return Person(
        number=number,
        given_name=given,
        family_name=family,
        full_name=f"{given} {family}",
        email=f"{latin}{number}@{dice.choice(_DOMAINS)}",
        phone=f"+447700900{dice.randrange(1000):03d}" if country == "GB" and dice.random() < 0.2 else "",
        sex=dice.choices((0, 1, 2), (20, 40, 40))[0],
        birth_date=_birthday(dice) if dice.random() < 0.4 else None,
        street=f"{dice.randrange(1, 250)} {dice.choice(streets.split(';'))}" if dice.random() < 0.7 else "",
        postal_code="",
        city=dice.choice(cities.split()),
        region="",
        country=country,
        language=language,
        time_zone=zone,
        company=dice.choice(_COMPANIES),
    )


def _birthday(dice: random.Random) -> date:
    return date(dice.randrange(1955, 2006), dice.randrange(1, 13), dice.randrange(1, 29))
