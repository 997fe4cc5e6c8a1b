"""A customer file as companies have them: Chinese and Western people mixed, one row in twenty spoilt. Seeded."""

import random
from collections.abc import Iterator
from pathlib import Path

HEADER = "姓名,邮箱,手机号码,性别,生日,国家,省份,城市,地址,邮编,语言,备注"
COLUMNS = 12
DIRTY = 0.05

_FAMILY = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蔡蒋余于杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严"
)
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红建国文辉力健世广志义兴良海山仁波宁贵福生龙元全"
    "胜学祥才发武新利清飞彬富顺信子浩宇轩梓涵欣怡雨泽诗思佳俊晨"
)
_PLACES = (
    ("广东", "广州", "510000", "天河路"),
    ("广东", "深圳", "518000", "深南大道"),
    ("上海", "上海", "200000", "南京西路"),
    ("北京", "北京", "100000", "建国门外大街"),
    ("浙江", "杭州", "310000", "文三路"),
    ("江苏", "苏州", "215000", "人民路"),
    ("四川", "成都", "610000", "天府大道"),
    ("湖北", "武汉", "430000", "解放大道"),
    ("陕西", "西安", "710000", "长安路"),
    ("山东", "青岛", "266000", "香港中路"),
    ("福建", "厦门", "361000", "湖滨南路"),
    ("重庆", "重庆", "400000", "解放碑步行街"),
)
_FIRST = [
    "James",
    "Mary",
    "Robert",
    "Linda",
    "Emma",
    "Noah",
    "Olivia",
    "Liam",
    "Sophie",
    "Lukas",
    "Hannah",
    "Paul",
    "Léa",
    "Hugo",
    "Giulia",
    "Marco",
    "Sofía",
    "Diego",
]
_LAST = [
    "Smith", "Johnson", "Brown", "Miller", "Davis", "Müller", "Schmidt", "Weber", "Dubois",
    "Moreau", "Rossi", "Bianchi", "García", "López", "Novák", "Kowalski",
]  # fmt: skip
_WEST = (
    ("United States", "CA", "San Francisco", "94103", "Market Street", "en", "+1 415 555 {:04d}"),
    ("GB", "England", "London", "SW1A 1AA", "Baker Street", "en", "+44 20 7946 {:04d}"),
    ("Germany", "Bayern", "München", "80331", "Sendlinger Straße", "de", "+49 30 2312 {:04d}"),
    ("法国", "Île-de-France", "Paris", "75001", "Rue de Rivoli", "fr", "+33 1 99 00 {:02d} {:02d}"),
)
_NOTES = (
    "",
    "",
    "",
    "老客户，喜欢绿茶",
    "周末联系",
    '说过"下个月再买"',
    "Prefers e-mail",
    "展会, 2024",
    "第一行\n第二行",
)


def write(path: Path, rows: int, *, seed: int = 20260101) -> None:
    rng = random.Random(seed)
    with path.open("wb", buffering=1 << 20) as file:
        file.write(b"\xef\xbb\xbf" + HEADER.encode() + b"\r\n")
        for line in _lines(rng, rows):
            file.write(line)


def _lines(rng: random.Random, rows: int) -> Iterator[bytes]:
    for number in range(rows):
        cells = _chinese(rng, number) if rng.random() < 0.8 else _western(rng, number)
        if rng.random() < DIRTY:
            yield _spoilt(rng, cells)
        else:
            yield _line(cells)


def _chinese(rng: random.Random, number: int) -> list[str]:
    region, city, code, street = rng.choice(_PLACES)
    return [
        rng.choice(_FAMILY) + "".join(rng.choices(_GIVEN, k=rng.choice((1, 2, 2)))),
        f"user{number}@{rng.choice(('qq', '163', '126', 'sina', 'corp'))}.example",
        f"1{rng.choice(('38', '39', '58', '86', '77'))}{number % 100_000_000:08d}",
        rng.choice(("男", "女", "1", "2")),
        f"{rng.randint(1950, 2006)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
        rng.choice(("中国", "CN", "China")),
        region,
        city,
        f"{street}{rng.randint(1, 999)}号{rng.randint(1, 30)}室",
        code,
        rng.choice(("zh", "zh-CN", "中文")),
        rng.choice(_NOTES),
    ]


def _western(rng: random.Random, number: int) -> list[str]:
    country, region, city, code, street, language, phone = rng.choice(_WEST)
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    return [
        f"{first} {last}",
        f"{first[0].lower()}.{number}@{rng.choice(('mail', 'inbox', 'firm'))}.example",
        phone.format(number % 100, number % 97) if phone.count("{") == 2 else "",
        rng.choice(("male", "female", "F", "M", "")),
        f"{rng.randint(1950, 2006)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
        country,
        region,
        city,
        f"{rng.randint(1, 400)} {street}",
        code,
        language,
        rng.choice(_NOTES),
    ]


def _spoilt(rng: random.Random, cells: list[str]) -> bytes:
    kind = rng.randrange(9)
    if kind == 0:
        cells[1] = cells[1].replace("@", " at ")
    elif kind == 1:
        cells[2] = "12345"
    elif kind == 2:
        cells[4] = "1987-02-30"
    elif kind == 3:
        cells[3] = "7"
    elif kind == 4:
        cells[1] = ""
    elif kind == 5:
        return _line(cells[:9])
    elif kind == 6:
        return _line(cells).replace("号".encode(), "号".encode("gb18030"), 1)
    elif kind == 7:
        cells[1] = f"  USER{rng.randrange(1000)}@QQ.example "  # somebody who occurs more than once
    else:
        cells[5] = "Atlantis"
    return _line(cells)


def _line(cells: list[str]) -> bytes:
    return (",".join(_cell(cell) for cell in cells) + "\r\n").encode()


def _cell(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\n') else cell
