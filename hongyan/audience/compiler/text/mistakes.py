"""What is wrong with a text that cannot be read, said of its very words."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from django.utils.translation import gettext as _
from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from hongyan.audience.compiler.shape import time_needed
from hongyan.audience.types import Span, TextProblem

_WORD: Final = re.compile(r"[^\s,，、()（）\"“”]+")
_LAST_WORD: Final = re.compile(r"([^\s()（）,，、\"“”]+)\s*$")
_ALMOST_A_TIME: Final = re.compile(r"\d{1,4}[/.年]\d{1,2}[/.月]\d{1,4}日?|\d{1,2}:\d\d.*|\d{4}-\d{1,2}-\d{1,2}T?.*")
_WITH_SEPARATORS: Final = re.compile(r"(?<![\w.])\d{1,3}(?:[.,，]\d{3})+(?![\w.])")
# What people write instead of the words of the language.
_MEANT: Final = {
    **dict.fromkeys(("&", "&&", "且", "并且", "和", "而且", "AND", "And"), "and"),
    **dict.fromkeys(("|", "||", "或", "或者", "OR", "Or"), "or"),
    **dict.fromkeys(("!", "非", "不", "NOT", "Not", "never", "没有", "没", "从未", "从没", "从来没有"), "not"),
    **dict.fromkeys(("within", "last", "最近", "过去"), "in"),
    **dict.fromkeys(("like", "LIKE", "包含", "~"), "contains"),
    **dict.fromkeys(("==", "等于", "是"), "="),
    **dict.fromkeys(("<>", "!==", "不等于", "不是"), "!="),
    **dict.fromkeys(("yes", "Yes", "YES", "True", "TRUE", "是"), "true"),
    **dict.fromkeys(("no", "No", "NO", "False", "FALSE", "否"), "false"),
    **dict.fromkeys(("since", "从", "自"), "from"),
    **dict.fromkeys(("until", "till", "到", "至"), "to"),
    **dict.fromkeys(("大于", "多于", "超过"), ">"),
    **dict.fromkeys(("小于", "少于"), "<"),
    **dict.fromkeys(("至少", "不少于", "=>"), ">="),
    **dict.fromkeys(("至多", "不多于", "=<"), "<="),
}
_TERMINALS: Final = {
    "and": "AND", "or": "OR", "not": "NOT", "contains": "CONTAINS", "=": "EQ", "!=": "NE", "true": "TRUE",
    "false": "FALSE", "in": "IN", "from": "FROM", "to": "TO", ">": "GT", "<": "LT", ">=": "GE", "<=": "LE",
}  # fmt: skip


def problem_of(error: UnexpectedInput, text: str) -> TextProblem:
    possible = _possible(error)
    if "CONTAINS" in possible and (found := _no_field(error, text)):
        return found
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        end = len(text.rstrip())
        message = _("Something is missing at the end. %(expected)s") % {"expected": _expected(possible)}
        return TextProblem(Span(end, end), "unfinished", message)
    span = _words(error, text)
    word = text[span.start : span.end]
    if isinstance(error, UnexpectedCharacters) and word[:1] in '"“':
        return TextProblem(Span(span.start, len(text)), "open_quote", _("This quotation mark is never closed."))
    message = _hint(word, possible, text[: span.start]) or _expected(possible)
    said = _("“%(word)s” cannot stand here. %(expected)s") % {"word": word[:40], "expected": message}
    return TextProblem(span, "unexpected", said.strip())


def _no_field(error: UnexpectedInput, text: str) -> TextProblem | None:
    """A word that was read as the name of a field, because only a field could stand there, and is plainly none."""
    at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    found = _LAST_WORD.search(text[: len(text) if at_end else _words(error, text).start])
    if found is None:
        return None
    word, meant = found[1], _MEANT.get(found[1], found[1])
    if meant in {"and", "or"}:
        hint = _("It joins two conditions, and none stands before it.")
    elif meant == "not" and word != meant:
        hint = _("Write: %(word)s") % {"word": meant}
    else:
        return None
    said = _("“%(word)s” cannot stand here. %(expected)s") % {"word": word, "expected": hint}
    return TextProblem(Span(found.start(1), found.end(1)), "unexpected", said)


def _possible(error: UnexpectedInput) -> frozenset[str]:
    """Terminals that could have stood there."""
    for name in ("accepts", "expected", "allowed"):
        found = getattr(error, name, None)
        if found:
            return frozenset(found)
    return frozenset()


def _words(error: UnexpectedInput, text: str) -> Span:
    """Of a word whose beginning could be read the whole word: "2026/11/22", not "/"."""
    if isinstance(error, UnexpectedToken):
        token: Token = error.token
        start, end = token.start_pos or 0, token.end_pos or (token.start_pos or 0) + 1
        if start and text[start - 1 : end] in {"==", "<>", "=>", "=<"}:
            return Span(start - 1, end)
        for number in _WITH_SEPARATORS.finditer(text):
            if number.start() <= start < number.end():
                return Span(number.start(), number.end())
        return Span(start, _end(text, end) if text[start:end].isdigit() else end)
    start = error.pos_in_stream or 0
    if text[start] in '"“':
        return Span(start, len(text))
    while start and text[start] not in ";；" and _is_inside_word(text[start - 1]):
        start -= 1
    return Span(start, _end(text, (error.pos_in_stream or 0) + 1))


def _end(text: str, end: int) -> int:
    found = _WORD.match(text, end)
    return found.end() if found else end


def _is_inside_word(letter: str) -> bool:
    return bool(letter.isdigit() or letter in "/.:-")


def _hint(word: str, possible: frozenset[str], before: str) -> str:
    """What somebody who writes this is likely to mean."""
    meant = _MEANT.get(word) if "SET" not in possible else "="
    if meant and (_TERMINALS[meant] in possible or not word.isalnum()):
        return _("Write: %(word)s") % {"word": meant}
    if word in {",", "，", "、"} and "AND" in possible:
        return _("Write: %(word)s") % {"word": "and"}
    head = _LAST_WORD.search(before)
    if possible == {"LPAR"} and head is not None:
        return _("Write: %(word)s") % {"word": f'{head[1]}("…")'}
    if _WITH_SEPARATORS.fullmatch(word):
        return _("Write: %(word)s") % {"word": re.sub("[.,，]", "", word)}
    if _ALMOST_A_TIME.fullmatch(word):
        return time_needed()
    if word.startswith(("'", "‘", "’", "「", "『", "《")) or ("STRING" in possible and word[:1].isalpha()):
        inner = word.strip("'‘’「」『』《》")
        return _("Texts stand in double quotation marks: %(text)s") % {"text": f'"{inner[:40]}"'}
    if word in {")", "）"} and not _is_open(before):
        return _("No bracket is open here.")
    return ""


def _is_open(text: str) -> bool:
    signs = re.sub(r'"(?:[^"\\]|\\.)*"|“[^”]*”', "", text)
    return len(re.findall("[(（]", signs)) > len(re.findall("[)）]", signs))


def _expected(possible: frozenset[str]) -> str:
    """What could have stood there, in words people type."""
    words = [word() for group, word in _SAYABLE.items() if possible & set(group)]
    return _("Expected: %(words)s.") % {"words": _(", ").join(words[:6])} if words else ""


_SAYABLE: Final[Mapping[tuple[str, ...], Callable[[], str]]] = {
    ("STRING",): lambda: _("a text in quotation marks"),
    ("NUMBER", "INT"): lambda: _("a number"),
    ("DAY",): lambda: _("a date such as 2026-01-31"),
    ("TRUE",): lambda: _("true or false"),
    ("SPAN",): lambda: _("a number of days such as 90d"),
    ("WHERE",): lambda: "where",
    ("THEN",): lambda: "then",
    ("WITHIN",): lambda: "within",
    ("AGO",): lambda: "ago",
    ("NAME",): lambda: _("the name of a field"),
    ("EQ", "GE"): lambda: _("a comparison such as = or >="),
    ("CONTAINS",): lambda: "contains",
    ("DID",): lambda: "did(…)",
    ("AND",): lambda: "and",
    ("OR",): lambda: "or",
    ("COMMA",): lambda: _("“%(word)s”") % {"word": ","},
    ("LPAR",): lambda: _("“%(word)s”") % {"word": "("},
    ("RPAR",): lambda: _("“%(word)s”") % {"word": ")"},
    ("SET",): lambda: "set",
}
