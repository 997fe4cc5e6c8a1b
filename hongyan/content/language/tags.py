"""Cuts a source into text and tags, keeping where each stands."""

import re
from bisect import bisect_right
from dataclasses import dataclass

from django.utils.translation import gettext as _

OPENERS = {"{{": "}}", "{%": "%}", "{#": "#}"}
_OPENER = re.compile(r"\{\{|\{%|\{#")
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<op>==|!=|<=|>=|[<>|()\[\],.=-])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Token:
    kind: str  # string | number | name | op
    text: str
    at: int  # offset in the whole source


@dataclass(frozen=True, slots=True)
class Tag:
    """kind: "{{" prints, "{%" acts, "{#" is a comment. strip_*: written with a minus sign beside the bracket."""

    kind: str
    start: int
    end: int
    tokens: tuple[Token, ...]
    strip_before: bool = False
    strip_after: bool = False


class BadTag(Exception):
    """Not the merge language. ``at`` is an offset in the source."""

    def __init__(self, at: int, code: str, message: str) -> None:
        super().__init__(message)
        self.at, self.code, self.message = at, code, message


@dataclass(frozen=True, slots=True)
class Places:
    """Turns offsets into lines and columns, both from 1."""

    starts: tuple[int, ...]

    @classmethod
    def of(cls, source: str) -> "Places":
        return cls((0, *(match.end() for match in re.finditer(r"\n", source))))

    def at(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1


def cut(source: str) -> tuple[list[Tag], list[BadTag]]:
    """All tags in order, and what is wrong with the others; text is what lies between."""
    tags: list[Tag] = []
    bad: list[BadTag] = []
    position = 0
    while found := _OPENER.search(source, position):
        try:
            tag = _comment(source, found.start()) if found.group() == "{#" else _tag(source, found.start())
            tags.append(tag)
            position = tag.end
        except BadTag as problem:
            bad.append(problem)
            closing = source.find(OPENERS[found.group()], found.end())
            position = closing + 2 if closing >= 0 else len(source)
    return tags, bad


def _comment(source: str, start: int) -> Tag:
    end = source.find("#}", start)
    if end < 0:
        raise BadTag(start, "unclosed", _("This tag is never closed."))
    return Tag("{#", start, end + 2, ())


def _tag(source: str, start: int) -> Tag:
    opener = source[start : start + 2]
    closer = OPENERS[opener]
    position = start + 2
    strip_before = source.startswith("-", position)
    position += strip_before
    tokens: list[Token] = []
    while True:
        if source.startswith(closer, position):
            return Tag(opener, start, position + 2, tuple(tokens), strip_before)
        if source.startswith("-" + closer, position):
            return Tag(opener, start, position + 3, tuple(tokens), strip_before, strip_after=True)
        match = _TOKEN.match(source, position)
        if match is None:
            raise _unreadable(source, start, position)
        if match.lastgroup != "space":
            tokens.append(Token(str(match.lastgroup), match.group(), position))
        position = match.end()


def _unreadable(source: str, start: int, position: int) -> BadTag:
    if position >= len(source) or source.startswith(("{{", "{%"), position):
        return BadTag(start, "unclosed", _("This tag is never closed."))
    character = source[position]
    if character in "“”‘’＂＇":
        return BadTag(
            position,
            "curly_quote",
            _("Use straight quotes (\" or ') inside a tag, not %(character)s.") % {"character": character},
        )
    return BadTag(position, "bad_character", _("“%(character)s” has no meaning here.") % {"character": character})
