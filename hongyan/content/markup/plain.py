"""The plain-text part of an HTML mail: everything it says and every link, in reading order."""

import html
import re

from hongyan.content.markup.masks import Marks
from hongyan.content.markup.scan import Token, tokens

_PARAGRAPHS = frozenset("p h1 h2 h3 h4 h5 h6 table ul ol blockquote section article header footer".split())  # noqa: SIM905
_LINES = frozenset("div tr li br dt dd caption center address pre".split())  # noqa: SIM905
_SKIPPED = frozenset({"head", "style", "title"})
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
_VOID = frozenset("area br col hr img source wbr meta".split())  # noqa: SIM905
_BLANKS = re.compile(r"[ \t\r\n\f\u00a0]+")
_INVISIBLE = re.compile("[\u034f\u200b\u200c\u2060\u2007\ufeff\u00ad]")


def plain(markup: str, marks: Marks) -> str:
    """markup: compiled HTML whose link addresses are marks already."""
    writer = _Writer(markup, marks)
    for token in tokens(markup):
        writer.read(token)
    lines = [_BLANKS.sub(" ", line).strip() for line in "".join(writer.out).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


class _Writer:
    def __init__(self, markup: str, marks: Marks) -> None:
        self.out: list[str] = []
        self._markup, self._marks = markup, marks
        self._skipping: list[str] = []  # open elements since something hidden began
        self._links: list[tuple[str, int]] = []  # (address, where its label begins in out)

    def read(self, token: Token) -> None:
        if token.outlook:
            return
        if token.kind in {"open", "close"}:
            self._element(token)
        elif token.kind == "text" and not self._skipping:
            self.out.append(self._text(self._markup[token.start : token.end]))

    def _element(self, token: Token) -> None:
        name = token.name
        if token.kind == "close":
            self._close(name)
        elif self._skipping or self._hides(token):
            if name not in _VOID:
                self._skipping.append(name)
        else:
            self._open(token)

    def _hides(self, token: Token) -> bool:
        style = token.get("style")
        return token.name in _SKIPPED or bool(style and _HIDDEN.search(style.value))

    def _close(self, name: str) -> None:
        if self._skipping:
            if name in self._skipping:
                del self._skipping[len(self._skipping) - 1 - self._skipping[::-1].index(name) :]
            return
        if name == "a" and self._links:
            self._end_link()
        self._break(name)

    def _open(self, token: Token) -> None:
        name = token.name
        self._break(name)
        if name == "li":
            self.out.append("- ")
        elif name == "hr":
            self.out.append("\n\n----\n\n")
        elif name in {"td", "th"}:
            self.out.append(" ")
        elif name == "img" and (alt := token.get("alt")) and alt.value.strip():
            self.out.append(self._text(alt.value))
        elif name == "a" and (href := token.get("href")):
            self._links.append((self._text(href.value.strip()), len(self.out)))

    def _break(self, name: str) -> None:
        if name in _PARAGRAPHS:
            self.out.append("\n\n")
        elif name in _LINES:
            self.out.append("\n")

    def _end_link(self) -> None:
        address, start = self._links.pop()
        label = "".join(self.out[start:]).strip()
        if not address or address.startswith("#"):
            return
        if address.lower().startswith(("mailto:", "tel:")) and label:
            return
        self.out.append(f" <{address}> " if label and label != address else f" {address} ")

    def _text(self, raw: str) -> str:
        """Entities decoded piece by piece, so that none can turn into a mark or hide one."""
        parts = self._marks.pattern.split(raw)
        for number in range(0, len(parts), 2):
            text = html.unescape(parts[number])
            text = text.replace(self._marks.opener, "").replace(self._marks.closer, "")
            parts[number] = _BLANKS.sub(" ", _INVISIBLE.sub("", text))
        for number in range(1, len(parts), 2):
            parts[number] = self._marks.mark(int(parts[number]))
        return "".join(parts)
