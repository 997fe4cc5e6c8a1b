"""Formula cells (OWASP ASVS 5.0, 1.2.10): a cell that a spreadsheet would run is written with a leading apostrophe,
and an own export read back gives the original again."""

import re

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"-?\d+(\.\d+)?\Z")  # -12.5 is a number, not a formula
_MARKED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")


def neutralise(value: str) -> str:
    """A value that already looks marked gets one more apostrophe, so that ``restore`` is exact.

    >>> neutralise("=1+1"), neutralise("+8613800138000"), neutralise("-5"), neutralise("'=x"), neutralise("O'Neil")
    ("'=1+1", "'+8613800138000", '-5', "''=x", "O'Neil")
    """
    if not value:
        return value
    if value.startswith(_DANGEROUS) and not _NUMBER.match(value):
        return "'" + value
    return "'" + value if _MARKED.match(value) else value


def restore(value: str) -> str:
    """Undo ``neutralise``; leaves everything else alone.

    >>> restore("'+8613800138000"), restore("O'Neil"), restore("''=x")
    ('+8613800138000', "O'Neil", "'=x")
    """
    return value[1:] if value[:1] == "'" and _MARKED.match(value) else value
