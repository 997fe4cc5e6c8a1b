"""Chinese characters: simplified form, and how names are read and romanised."""

import re
from functools import cache, lru_cache

from opencc import OpenCC

# Family names that the general dictionary reads wrongly (现代汉语词典, readings of surnames).
_READINGS_TEXT = """
    单 shan  仇 qiu  曾 zeng  解 xie  区 ou  查 zha  朴 piao  盖 ge  翟 zhai
    缪 miao  员 yun  乐 yue  覃 qin  华 hua  任 ren  吕 lv  尹 yin  逄 pang
    洗 xian  冼 xian  尉 wei  种 chong  召 shao  谌 chen  葛 ge  纪 ji  宁 ning
    过 guo  哈 ha  秘 bi  薄 bo  折 she  黑 he  牟 mu  佴 nai  郇 huan
    繁 po  隗 wei  应 ying  邢 xing  祭 zhai  撒 sa  都 du  阚 kan  臧 zang  燕 yan
    那 na  句 gou  祝 zhu  笮 ze  訾 zi  眭 sui  芮 rui  适 kuo  会 gui  相 xiang
    單 shan  區 ou  樸 piao  蓋 ge  員 yun  樂 yue  華 hua  呂 lv  紀 ji
    尉迟 yuchi  万俟 moqi  单于 chanyu  长孙 zhangsun  澹台 tantai  令狐 linghu  宰父 zaifu  乐正 yuezheng
"""
_READINGS = _READINGS_TEXT.split()
_SURNAME_PINYIN = dict(zip(_READINGS[::2], _READINGS[1::2], strict=True))
_TWO_SYLLABLES = {
    "yuchi": ("yu", "chi"),
    "moqi": ("mo", "qi"),
    "chanyu": ("chan", "yu"),
    "zhangsun": ("zhang", "sun"),
    "tantai": ("tan", "tai"),
    "linghu": ("ling", "hu"),
    "zaifu": ("zai", "fu"),
    "yuezheng": ("yue", "zheng"),
}

# Surnames as they are written in Hong Kong, Macau (Cantonese) and Taiwan (Wade-Giles), and what they are in pinyin.
_ROMANISED_TEXT = """
    wong wang,huang  chan chen  cheung zhang  chang zhang,chang  lee li  li li  lei li  ng wu,huang  eng wu  goh wu  lam lin
    lau liu  low liu,luo  leung liang  ho he  hsu xu  hsieh xie  tse xie  chow zhou  chou zhou  chung zhong  chu zhu  cho cao
    tsai cai  choi cai  chua cai  tsang zeng  tseng zeng  kwok guo  kuo guo  kuok guo  cheng zheng,cheng  yeung yang  yip ye
    yeh ye  hui xu  fung feng  tang deng,tang  teng deng  tong tang  chiang jiang  cheong zhang  tan chen,tan  teo zhang  lim lin
    ong wang  koh xu  kwan guan  kwong kuang  lai li,lai  lo luo  lok luo,le  law luo  loh luo  mak mai  mok mo  ma ma
    man wen  mui mei  ngai wei  ou ou  au ou,qu  pang peng,pang  poon pan  pun pan  pui bei  so su  su su  sin xian
    siu xiao  hsiao xiao  sze shi  shih shi  suen sun  sung song  szeto situ  tam tan  tien tian  tin tian  to du,tao  tu du,tu
    tsui cui,xu  tsoi cai  tung dong  wai wei  wan yun,wen,wan  wu wu,hu  woo hu,wu  yam ren  yan yin,ren  yau qiu,you  yu yu,yuan
    yuen yuan,ruan  yung rong  yim yan  kam jin,gan  kan jian,gan  ko gao  kao gao  kong jiang,kong  kung gong,kong  kei ji
    kai gai  keung jiang  fong fang  foo fu  fok huo  fan fan,fan  hau hou  hon han  hung hong,kong  ip ye  jen ren  juan ruan
    kau qiu  hwang huang  chien jian,qian  chin qin,jin,qian  ching cheng  chiu zhao,qiu  chao zhao  jiu zhao  chui xu,cui
    chuang zhuang  chong zhuang,zhang  ouyang ouyang  auyeung ouyang  seto situ  sito situ  chi ji,qi  hsiang xiang  hsing xing
    hsueh xue  sit xue  sik shi  shek shi  shum shen,cen  sham shen,cen  shen shen  sum shen  kiang jiang  lui lv,lei  lu lu,lv  luk lu
    lyu lv  nyu nv  lueng liang  liao liao  liu liu,liao  lung long  mo mo  mou mou,mao  mo mo  ting ding  tou dou  tsao cao  tso cao,zuo
    tsou zou  chau zhou,zou  tsen cen  tzu zi  wei wei  wen wen  weng weng  yen yan  ying ying  you you  lao liu,lao
"""
_ROMANISED = _ROMANISED_TEXT.split()
ROMANISED: dict[str, tuple[str, ...]] = {
    name: tuple(dict.fromkeys(read.split(","))) for name, read in zip(_ROMANISED[::2], _ROMANISED[1::2], strict=True)
}
# The families most people have (国家统计局 2020 and 公安部 2019 lists): enough to tell which word of two is the surname.
COMMON_SURNAMES = frozenset(
    "wang li zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo he lin gao luo zheng liang xie song tang deng feng "
    "han cao zeng peng xiao cai pan tian dong yuan yu ye jiang du su wei cheng lv ding shen ren yao lu fu zhong cui tan liao "
    "fan shi jin jia xia fang zou xiong bai meng qin qiu hou yin xue yan lei long tao duan hao kong shao mao chang wan gu lai "
    "kang qian tang wen mo niu ge xing an qi yi qiao wu pang ni yan zhuang nie zhan ou ouyang situ sima zhuge geng guan lan".split()
)
_SYLLABLE = (
    "(?:a|ai|an|ang|ao|e|ei|en|eng|er|o|ou|"
    "(?:b|p)(?:iang|iao|ian|ing|ang|eng|ai|an|ao|ei|en|ia|ie|in|iu|ou|a|i|o|u)|"
    "m(?:iao|ian|ing|ang|eng|ai|an|ao|ei|en|ie|in|iu|ou|a|e|i|o|u)|f(?:ang|eng|an|ei|en|ou|a|o|u)|"
    "(?:d|t)(?:iao|ian|ing|ang|eng|ong|uan|ai|an|ao|ei|en|ia|ie|iu|ou|ui|un|uo|a|e|i|u)|"
    "(?:n|l)(?:iang|iao|ian|ing|ang|eng|ong|uan|ai|an|ao|ei|en|ia|ie|in|iu|ou|ue|un|uo|ve|yu|a|e|i|u|v)|"
    "(?:g|k|h)(?:uang|uai|uan|ang|eng|ong|ai|an|ao|ei|en|ou|ua|ui|un|uo|a|e|u)|"
    "(?:j|q|x)(?:iang|iong|iao|ian|ing|uan|ia|ie|in|iu|ue|un|i|u)|"
    "(?:zh|ch|sh)(?:uang|uai|uan|ang|eng|ong|ai|an|ao|ei|en|ou|ua|ui|un|uo|a|e|i|u)|"
    "r(?:ang|eng|ong|uan|an|ao|en|ou|ua|ui|un|uo|e|i|u)|"
    "(?:z|c|s)(?:ang|eng|ong|uan|ai|an|ao|ei|en|ou|ui|un|uo|a|e|i|u)|"
    "y(?:ang|ing|ong|uan|an|ao|in|ou|ue|un|a|e|i|o|u)|w(?:ang|eng|ai|an|ei|en|a|o|u))"
)
_PINYIN = re.compile(f"(?:{_SYLLABLE})+")


@cache
def _simplified() -> dict[int, str]:
    """Character by character: names do not need the phrases that tell 乾 from 干."""
    converter = OpenCC("t2s")
    block = [chr(code) for code in (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000), *range(0xF900, 0xFB00))]
    return {ord(mark): to for mark in block if len(to := converter.convert(mark)) == 1 and to != mark}


def simplified(text: str) -> str:
    """Traditional characters in their simplified form: 陳麗華 → 陈丽华."""
    return text if text.isascii() else text.translate(_simplified())


@lru_cache(maxsize=4096)
def surname_pinyin(surname: str) -> tuple[str, ...]:
    """Syllables of a family name; u-umlaut is v."""
    if not surname:
        return ()
    known = _SURNAME_PINYIN.get(surname)
    if known:
        return _TWO_SYLLABLES.get(known, (known,))
    return pinyin(surname)


@lru_cache(maxsize=65536)
def pinyin(text: str) -> tuple[str, ...]:
    from pypinyin import Style, lazy_pinyin  # its dictionaries take half a second: when there is something to read

    return tuple(lazy_pinyin(text, style=Style.NORMAL, v_to_u=False)) if text else ()


@lru_cache(maxsize=65536)
def is_pinyin(word: str) -> bool:
    """Whether a word of small letters could be the pinyin of one or more characters."""
    return _PINYIN.fullmatch(word) is not None


@lru_cache(maxsize=65536)
def sound(word: str) -> str:
    """What is left of pinyin once the differences that ears and dialects lose are taken out: zh/z, ng/n, n/l, ü/u.

    >>> sound("zhenglan") == sound("zenglang"), sound("liuli") == sound("niuni"), sound("lv") == sound("lyu")
    (True, True, True)
    """
    word = word.replace("lyu", "lu").replace("nyu", "nu").replace("v", "u")
    for mark, plain in (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"), ("n", "l")):
        word = word.replace(mark, plain)
    return word
