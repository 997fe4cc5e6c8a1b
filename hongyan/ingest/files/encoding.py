"""Guessing the character encoding of a delimited file from a sample. The user can always choose another."""

import codecs
import re
from collections.abc import Callable

import charset_normalizer

# Offered in the interface, in this order. Python codec names.
ENCODINGS: dict[str, str] = {
    "utf-8": "UTF-8",
    "gb18030": "GB18030 (GBK, GB2312)",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "utf-32-le": "UTF-32 LE",
    "utf-32-be": "UTF-32 BE",
    "big5hkscs": "Big5",
    "cp932": "Shift-JIS",
    "cp949": "EUC-KR",
    "cp1252": "Windows-1252",
    "cp1251": "Windows-1251",
}
WIDE = frozenset({"utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"})

_BOMS = (  # UTF-32 before UTF-16: its little-endian mark begins with the one of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")


def bom_length(head: bytes) -> int:
    return next((len(mark) for mark, _ in _BOMS if head.startswith(mark)), 0)


def detect(sample: bytes) -> str:
    """The most plausible codec name of ``ENCODINGS``. sample: the beginning of the file, best 64 KiB or more.

    >>> detect("姓名,邮箱\\n王小明,wang@example.com\\n".encode("gb18030"))
    'gb18030'
    """
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name
    wide = _wide_without_mark(sample)
    if wide:
        return wide
    if _decodes(sample, "utf-8"):
        return "utf-8"
    runs = _HIGH_RUN.findall(sample)
    if not runs:
        return "utf-8"
    if _mostly_utf8(sample):
        return "utf-8"  # a few spoilt lines in a UTF-8 file: they are rejected one by one
    scored = sorted(
        ((_score(sample, name, quality), -rank, name) for rank, (name, quality) in enumerate(_QUALITY.items())),
        reverse=True,
    )
    best, _, name = scored[0]
    if sum(len(run) for run in runs) / len(runs) < 1.3 and _decodes(sample, "cp1252"):
        return "cp1252"  # lonely high bytes between ASCII letters: Western, not East Asian pairs
    return name if best >= 0.8 else _by_statistics(sample) or name


def _wide_without_mark(sample: bytes) -> str | None:
    """UTF-16 without a mark: delimiters, digits and line ends leave NULs on one side of each pair."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if even + odd < max(2, len(sample) // 50):
        return None
    if odd > 9 * even and _decodes(sample, "utf-16-le"):
        return "utf-16-le"
    if even > 9 * odd and _decodes(sample, "utf-16-be"):
        return "utf-16-be"
    return None


def _decodes(sample: bytes, name: str) -> bool:
    try:
        codecs.getincrementaldecoder(name)("strict").decode(sample, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _mostly_utf8(sample: bytes) -> bool:
    """At least nine in ten lines with high bytes are UTF-8, and there is more than one of them. The last line is left
    out, the sample may end within it. Lines of another encoding hardly ever look like UTF-8, so two say enough."""
    lines = [line for line in sample.splitlines()[:-1] if not line.isascii()]
    good = sum(_decodes(line, "utf-8") for line in lines)
    return len(lines) > 1 and good >= 0.9 * len(lines)


def _score(sample: bytes, name: str, common: Callable[[str, str], bool]) -> float:
    """Share of characters outside ASCII that belong to the encoding's everyday part; broken bytes count against it."""
    text = codecs.getincrementaldecoder(name)("replace").decode(sample, final=False)
    strange = [char for char in text if char > "\x7f"]
    if not strange:
        return 0.0
    return sum(char != "\ufffd" and common(char, name) for char in strange[:20_000]) / min(len(strange), 20_000)


def _lead(char: str, name: str) -> int:
    try:
        raw = char.encode(name)
    except UnicodeEncodeError:
        return 0
    return raw[0] if len(raw) == 2 else 0


def _common_gb(char: str, _name: str) -> bool:
    lead = _lead(char, "gb2312")  # level 1 (the 3,755 most used) and punctuation
    return 0xB0 <= lead <= 0xD7 or lead in {0xA1, 0xA3}


def _common_big5(char: str, _name: str) -> bool:
    return 0xA4 <= _lead(char, "big5") <= 0xC6 or _lead(char, "big5") == 0xA1


def _common_japanese(char: str, _name: str) -> bool:
    return "\u3040" <= char <= "\u30ff" or 0x88 <= _lead(char, "cp932") <= 0x97


def _common_korean(char: str, _name: str) -> bool:
    return "\uac00" <= char <= "\ud7a3" and 0xB0 <= _lead(char, "euc_kr") <= 0xC8


_QUALITY: dict[str, Callable[[str, str], bool]] = {
    "gb18030": _common_gb,
    "big5hkscs": _common_big5,
    "cp932": _common_japanese,
    "cp949": _common_korean,
}


def _by_statistics(sample: bytes) -> str | None:
    best = charset_normalizer.from_bytes(
        sample[:65_536], cp_isolation=["gb18030", "big5hkscs", "cp932", "cp949", "cp1252", "cp1251"]
    ).best()
    return best.encoding if best is not None and best.encoding in ENCODINGS else None
