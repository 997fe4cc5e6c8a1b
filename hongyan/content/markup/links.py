"""Turns the links of compiled HTML into what each person's mail needs, and finds merge tags in impossible places.

Static web addresses become numbered links; addresses made of a person's data become signed ones when rendered; the
unsubscribe, preference and view addresses stay bare.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import idna
from django.utils.translation import gettext as _

from hongyan.content.language import expressions
from hongyan.content.language.expressions import Filtered, Path
from hongyan.content.language.program import Piece
from hongyan.content.markup.masks import Marks
from hongyan.content.markup.mjml import field_in_style, field_in_tag
from hongyan.content.markup.safety import URL_ATTRIBUTES, Danger, url_scheme
from hongyan.content.markup.scan import Attribute, Token, tokens
from hongyan.content.types import Link

OWN_LINKS = frozenset({"unsubscribe_url", "preferences_url", "view_url"})
MAX_LINKS = 400
_WEB = frozenset({"http", "https"})
_TEXT_URL = re.compile(r"https?://[^\s<>\"'，。；！？、）】》」]+", re.IGNORECASE)
_HARMLESS = re.compile(r"[\w:/.?=%#@,+;~-]*")
_TRAILING = ".,;:!?)]}"
_WIDE = re.compile(r"\s+")


@dataclass(slots=True)
class Linker:
    """Grows ``pieces`` (what marks stand for) and ``links`` while the parts of one mail go through it."""

    marks: Marks
    pieces: list[Piece]
    utm_campaign: str
    links: list[Link] = field(default_factory=list)
    _by_url: dict[str, int] = field(default_factory=dict)

    def in_html(self, markup: str) -> str:
        """The markup with every address that needs it replaced by marks."""
        out: list[str] = []
        position = 0
        cut = list(tokens(markup))
        for number, token in enumerate(cut):
            for attribute in token.attributes:
                if token.kind != "open" or attribute.name not in URL_ATTRIBUTES or not attribute.quote:
                    continue
                made = self._address(token, attribute, markup, cut, number)
                if made is not None:
                    out += [markup[position : attribute.start], made]
                    position = attribute.end
        return "".join(out) + markup[position:]

    def in_text(self, text: str) -> str:
        return _TEXT_URL.sub(self._text_url, text)

    def add_piece(self, code: str) -> str:
        """A mark that stands for this template code."""
        self.pieces.append(Piece(code))
        return self.marks.mark(len(self.pieces) - 1)

    def number(self, url: str, label: str, *, shared: bool) -> str:
        """shared: another place of the same link (Outlook's copy, the text part) counts as the same one."""
        url = with_utm(url, self.utm_campaign)
        index = self._by_url.get(url) if shared else None
        if index is None:
            index = len(self.links)
            self.links.append(Link(index, url, label))
            self._by_url.setdefault(url, index)
        return self.add_piece(f"{{{{ _l[{index}]|safe }}}}")

    def _address(self, token: Token, attribute: Attribute, markup: str, cut: list[Token], number: int) -> str | None:
        value = attribute.value.strip()
        is_link = attribute.name == "href" and token.name != "v:fill"
        if self.marks.within(value):
            return self._dynamic(value, tracked=is_link, decode=True)
        if not is_link or url_scheme(value) not in _WEB:
            return None
        label = _label(markup, cut, number, self.marks) if token.name in {"a", "area"} else ""
        url = web_address(html.unescape(value))
        return self.number(url, label, shared=token.outlook)

    def _text_url(self, match: re.Match[str]) -> str:
        found = match.group()
        url = found.rstrip(_TRAILING)
        tail = found[len(url) :]
        if self.marks.within(url):
            return (self._dynamic(url, tracked=True, decode=False) or url) + tail
        return self.number(web_address(url), "", shared=True) + tail

    def _dynamic(self, value: str, *, tracked: bool, decode: bool) -> str | None:
        """An address with merge tags in it. Values are encoded for the place they stand in."""
        whole = self.marks.pattern.fullmatch(value)
        if whole and self._own(int(whole.group(1))):
            return None
        prefix = value[: value.index(self.marks.opener)]
        scheme = url_scheme(prefix)
        out = []
        position = 0
        for match in self.marks.pattern.finditer(value):
            out.append(self._literal(value[position : match.start()], decode=decode))
            out.append(self._encoded(int(match.group(1)), leads=not value[: match.start()].strip()))
            position = match.end()
        out.append(self._literal(value[position:], decode=decode))
        if scheme and scheme not in _WEB:  # mailto:, tel:, cid:
            return "".join(out)
        name = "_link" if tracked else "_address"
        opener = self.add_piece(f"{{% filter {name} %}}{{% autoescape false %}}")
        closer = self.add_piece("{% endautoescape %}{% endfilter %}")
        return opener + "".join(out) + closer

    def _own(self, number: int) -> bool:
        node = self.pieces[number].node
        return isinstance(node, Path) and node.dotted in OWN_LINKS

    def _literal(self, text: str, *, decode: bool) -> str:
        if _HARMLESS.fullmatch(text):
            return text
        return self.add_piece("{{ " + expressions.quote(html.unescape(text) if decode else text) + " }}")

    def _encoded(self, number: int, *, leads: bool) -> str:
        """leads: nothing stands before it, so it may be a whole address; the filter checks where that leads."""
        piece = self.pieces[number]
        already = isinstance(piece.node, Filtered) and piece.node.name == "urlencode"
        if piece.node is None or leads or already:
            return self.marks.mark(number)
        return self.add_piece(f"{{{{ ({piece.expression})|urlencode }}}}")


def web_address(url: str) -> str:
    """Blanks dropped, host in its ASCII form, other characters an address cannot hold percent-encoded, so that headers,
    texts and mail programs agree on it.

    >>> web_address("https://例子.中国/路 径?q=1")
    'https://xn--fsqu00a.xn--fiqs8s/%E8%B7%AF%E5%BE%84?q=1'
    """
    parts = urlsplit(_WIDE.sub("", url))
    if not parts.netloc.isascii():
        host = idna.encode(parts.hostname or "", uts46=True).decode()
        parts = parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host)
    return quote(urlunsplit(parts), safe="%/:=&?~#+!$,;'@()*[]-._")


def with_utm(url: str, campaign: str) -> str:
    """Campaign parameters, unless the author gave some. The rest of the address stays as written.

    >>> with_utm("https://shop.example/a?b=1#c", "autumn")
    'https://shop.example/a?b=1&utm_source=hongyan&utm_medium=email&utm_campaign=autumn#c'
    >>> with_utm("https://shop.example/?utm_source=x", "autumn")
    'https://shop.example/?utm_source=x'
    """
    parts = urlsplit(url)
    if any(name.lower().startswith("utm_") for name, _value in parse_qsl(parts.query, keep_blank_values=True)):
        return url
    added = {"utm_source": "hongyan", "utm_medium": "email"} | ({"utm_campaign": campaign} if campaign else {})
    query = "&".join(filter(None, (parts.query, urlencode(added))))
    return urlunsplit(parts._replace(query=query))


def misplaced(markup: str, marks: Marks) -> Iterator[Danger]:
    """Merge tags in HTML where a value would become markup or style."""
    for token in tokens(markup):
        if not marks.within(markup[token.start : token.end]):
            continue
        if token.kind in {"open", "close"}:
            yield from _misplaced_in_element(token, marks)
        elif token.kind == "raw" and token.name != "title":
            yield Danger(token.start + markup[token.start :].index(marks.opener), "field_in_style", field_in_style())
        elif token.kind == "conditional":
            yield Danger(token.start, "field_in_tag", field_in_tag())


def _misplaced_in_element(token: Token, marks: Marks) -> Iterator[Danger]:
    if marks.within(token.name):
        yield Danger(token.start, "field_in_tag", field_in_tag())
    for attribute in token.attributes:
        if marks.within(attribute.name) or (marks.within(attribute.value) and not attribute.quote):
            yield Danger(attribute.start, "field_in_tag", field_in_tag())
        elif marks.within(attribute.value) and attribute.name == "style":
            yield Danger(attribute.start, "field_in_style", field_in_style())


def too_many(links: list[Link]) -> str | None:
    if len(links) <= MAX_LINKS:
        return None
    return _("A mail can have at most %(limit)d links.") % {"limit": MAX_LINKS}


def _label(markup: str, cut: list[Token], number: int, marks: Marks) -> str:
    words: list[str] = []
    for token in cut[number + 1 :]:
        if token.kind == "close" and token.name == "a":
            break
        if token.kind == "text" and not token.outlook:
            words.append(marks.pattern.sub("…", markup[token.start : token.end]))
        elif token.kind == "open" and token.name == "img" and (alt := token.get("alt")):
            words.append(marks.pattern.sub("…", alt.value))
    return _WIDE.sub(" ", html.unescape(" ".join(words))).strip()[:120]
