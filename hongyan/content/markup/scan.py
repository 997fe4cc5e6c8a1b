"""Cuts HTML into tokens the way browsers do (WHATWG HTML §13.2.5), keeping every character's place.

Conditional comments of Outlook are opened up: what stands inside is cut like the rest, because Outlook runs it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

RAW_TEXT = frozenset({"style", "title", "script", "textarea", "xmp", "noembed", "noframes", "iframe", "mj-style"})
_HIDDEN_OPEN = re.compile(r"<!--\[if[^\]]*\]>(?!<!-)", re.IGNORECASE)
_REVEALED = re.compile(
    r"<!--\[if[^\]]*\]><!-*->|<!--<!\[endif\]--\s*>|<!\[endif\]-->|<!\[(?:if[^\]]*|endif)\]>", re.IGNORECASE
)
_COMMENT = re.compile(r"<!--(?:>|->|.*?(?:--!?>|\Z))", re.DOTALL)
_BOGUS = re.compile(r"<(?:[!?]|/(?![a-zA-Z]))[^>]*(?:>|\Z)")
_TAG_OPEN = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_SPACE = re.compile(r"[\s/]*")
_ATTRIBUTE_NAME = re.compile(r"=?[^\s/>=]*")
_EQUALS = re.compile(r"\s*=\s*")
_UNQUOTED = re.compile(r"[^\s>]*")


@dataclass(frozen=True, slots=True)
class Attribute:
    """value is raw, entities not decoded; start and end enclose it without its quotes."""

    name: str
    value: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Token:
    """kind: open, close, text, raw (inside style, title …), comment, conditional (an Outlook bracket)."""

    kind: str
    start: int
    end: int
    name: str = ""  # lower case, of open, close and raw
    attributes: tuple[Attribute, ...] = ()
    outlook: bool = False  # only Outlook sees it
    closed: bool = True  # False: the document ends inside it

    def get(self, name: str) -> Attribute | None:
        return next((attribute for attribute in self.attributes if attribute.name == name), None)


def tokens(html: str) -> Iterator[Token]:
    position, outlook = 0, False
    length = len(html)
    while position < length:
        if html[position] != "<":
            end = html.find("<", position)
            end = length if end < 0 else end
            yield Token("text", position, end, outlook=outlook)
        elif match := _HIDDEN_OPEN.match(html, position):
            outlook, end = True, match.end()
            yield Token("conditional", position, end, outlook=True)
        elif match := _REVEALED.match(html, position):
            outlook, end = False, match.end()
            yield Token("conditional", position, end)
        elif match := _COMMENT.match(html, position):
            end = match.end()
            yield Token("comment", position, end, outlook=outlook)
        elif _TAG_OPEN.match(html, position):
            token = _tag(html, position, outlook=outlook)
            end = token.end
            yield token
            if token.kind == "open" and token.name in RAW_TEXT:
                closing = re.compile(rf"</{token.name}(?=[\s/>])", re.IGNORECASE).search(html, end)
                stop = closing.start() if closing else length
                yield Token("raw", end, stop, token.name, outlook=outlook, closed=closing is not None)
                end = stop
        elif match := _BOGUS.match(html, position):
            end = match.end()
            yield Token("comment", position, end, outlook=outlook)
        else:
            end = position + 1
            yield Token("text", position, end, outlook=outlook)
        position = end


def _tag(html: str, start: int, *, outlook: bool) -> Token:
    opening = _TAG_OPEN.match(html, start)
    assert opening is not None  # noqa: S101 - the caller matched it
    kind, name = ("close" if opening.group(1) else "open"), opening.group(2).lower()
    position, length = opening.end(), len(html)
    attributes: list[Attribute] = []
    while True:
        position = _end(_SPACE, html, position)
        if position >= length:
            return Token(kind, start, length, name, tuple(attributes), outlook=outlook, closed=False)
        if html[position] == ">":
            return Token(kind, start, position + 1, name, tuple(attributes), outlook=outlook)
        attribute, position = _attribute(html, position)
        attributes.append(attribute)


def _attribute(html: str, start: int) -> tuple[Attribute, int]:
    position = _end(_ATTRIBUTE_NAME, html, start)
    name = html[start:position].lower()
    equals = _EQUALS.match(html, position)
    if equals is None:
        return Attribute(name, "", position, position, ""), position
    position = equals.end()
    quote = html[position : position + 1]
    if quote in {'"', "'"}:
        end = html.find(quote, position + 1)
        end = len(html) if end < 0 else end
        return Attribute(name, html[position + 1 : end], position + 1, end, quote), min(end + 1, len(html))
    end = _end(_UNQUOTED, html, position)
    return Attribute(name, html[position:end], position, end, ""), end


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position
