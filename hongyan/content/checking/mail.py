"""A compiled mail laid out for the checks."""

import html
import re
from dataclasses import dataclass
from functools import cached_property

from hongyan.content.markup.scan import Token, tokens
from hongyan.content.models import ContentVersion

_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_LINK_CODE = re.compile(r"\{\{ _l\[(\d+)\]\|safe \}\}")
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True)
class CheckedMail:
    version: ContentVersion

    @cached_property
    def subject(self) -> str:
        """As written, without merge tags."""
        return _CODE.sub("", self.version.subject).strip()

    @cached_property
    def markup(self) -> str:
        """Compiled HTML, numbered links written out, other merge tags taken out."""
        urls = {link["index"]: link["url"] for link in self.version.links}
        # The tags of addresses hold no quotes after this, so attributes can be cut as HTML.
        text = _LINK_CODE.sub(lambda match: html.escape(urls.get(int(match.group(1)), "")), self.version.compiled_html)
        return _CODE.sub(_placeholder, text)

    @cached_property
    def tokens(self) -> list[Token]:
        return list(tokens(self.markup))

    @cached_property
    def visible_text(self) -> str:
        words: list[str] = []
        skipping = ""
        for token in self.tokens:
            if token.kind == "open" and token.name == "head":
                skipping = "head"
            elif token.kind == "close" and token.name == skipping:
                skipping = ""
            elif token.kind == "text" and not skipping and not token.outlook:
                words.append(self.markup[token.start : token.end])
        return _BLANKS.sub(" ", html.unescape(" ".join(words))).strip()

    @cached_property
    def size(self) -> int:
        """Bytes of the HTML part as Gmail counts it, before a person's values come in."""
        return len(self.markup.encode())

    def elements(self, *names: str) -> list[Token]:
        return [token for token in self.tokens if token.kind == "open" and token.name in names and not token.outlook]

    def line_of(self, text: str) -> str:
        """``source:12`` when the text stands in what the author wrote, else the text itself, shortened."""
        at = self.version.source.find(text) if text else -1
        if at < 0:
            at = self.version.source.find(html.escape(text)) if text else -1
        if at < 0:
            return text[:120]
        return f"source:{self.version.source.count(chr(10), 0, at) + 1}"


def _placeholder(match: re.Match[str]) -> str:
    """Own addresses stay recognisable; everything else becomes nothing."""
    for name in ("unsubscribe_url", "preferences_url", "view_url", "action_url"):
        if name in match.group():
            return f"hongyan:{name}"
    return "…" if match.group().startswith("{{") else ""
