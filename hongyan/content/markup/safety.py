"""Refuses what a mail must not contain. An allow-list of elements, none of which runs, submits or loads anything.

Mail programs strip most of it anyway; the web view, the preview and the catcher do not, and some readers never did.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import idna
from django.utils.translation import gettext as _

from hongyan.content.markup.scan import Attribute, Token, tokens
from hongyan.content.words import names

ELEMENTS = names(
    "html head title meta style body div span p a br hr wbr table thead tbody tfoot tr td th caption"
    " colgroup col img h1 h2 h3 h4 h5 h6 ul ol li dl dt dd b strong i em u s strike del ins sub sup small"
    " big font center blockquote pre code kbd samp var cite q abbr address bdo bdi mark time article"
    " section header footer main aside nav figure figcaption picture source map area ruby rt rp tt acronym"
    " dfn details summary label"
)
# Outlook's own, and what its conditional comments need. noscript only there: elsewhere parsers disagree about it.
OUTLOOK = frozenset({"xml", "noscript", "w:anchorlock", "w:worddocument", "w:dontusefeatures"})
_OUTLOOK_PREFIXES = ("v:", "o:", "w:")
_FRAMING = frozenset({"script", "iframe", "frame", "frameset", "object", "embed", "applet", "svg", "math", "base"})
_FORMS = frozenset({"form", "input", "button", "select", "textarea", "option", "fieldset"})
URL_ATTRIBUTES = frozenset(
    {"href", "src", "background", "action", "formaction", "poster", "data", "cite", "longdesc", "srcset", "xlink:href"}
    | {"background-url", "usemap", "srcdoc"}
)
# Scheme of the target → may it stand in a link; images take web addresses and cid: parts only.
_LINK_SCHEMES = frozenset({"", "http", "https", "mailto", "tel", "sms"})
_IMAGE_SCHEMES = frozenset({"", "http", "https", "cid"})
_IGNORED_IN_URL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*):")
_CSS_DANGER = re.compile(r"expression\s*\(|javascript:|vbscript:|-moz-binding|behavior\s*:\s*url", re.IGNORECASE)
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_ESCAPE = re.compile(r"\\([0-9a-fA-F]{1,6})\s?|\\(.)")


@dataclass(frozen=True, slots=True)
class Danger:
    at: int
    code: str
    message: str


_IMPORT_RULE = re.compile(r"@import\b[^;]*(?:;|\Z)", re.IGNORECASE)


def without_external_css(markup: str) -> str:
    """Style sheets from elsewhere blanked out, places kept: few mail programs load them, and those tell on readers."""
    out, position = [], 0
    for token in tokens(markup):
        text = markup[token.start : token.end]
        if token.kind == "open" and token.name == "link":
            cut = _blank(text)
        elif token.kind == "raw" and token.name in {"style", "mj-style"} and "@" in text:
            cut = _IMPORT_RULE.sub(lambda match: _blank(match.group()), text)
        else:
            continue
        out += [markup[position : token.start], cut]
        position = token.end
    return "".join(out) + markup[position:]


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def dangers(markup: str, *, is_mjml: bool = False) -> Iterator[Danger]:
    for token in tokens(markup):
        if not token.closed:
            yield Danger(token.start, "unclosed_markup", _("This element is cut off: its end is missing."))
        if token.kind == "open":
            yield from _element(token, is_mjml=is_mjml)
            for attribute in token.attributes:
                yield from _attribute(token, attribute)
        elif token.kind == "raw" and token.name in {"style", "mj-style"}:
            yield from _css(markup[token.start : token.end], token.start)


def _element(token: Token, *, is_mjml: bool) -> Iterator[Danger]:
    name = token.name
    if name in ELEMENTS or (is_mjml and name.startswith("mj")):  # MJML's own elements are judged by ``mjml``
        refresh = token.get("http-equiv") if name == "meta" else None
        if refresh and _decoded(refresh.value).strip().lower() in {"refresh", "set-cookie"}:
            yield Danger(token.start, "meta_refresh", _("A mail cannot send people on to another page by itself."))
        return
    if name in OUTLOOK or name.startswith(_OUTLOOK_PREFIXES):
        if name == "noscript" and not token.outlook:
            yield Danger(token.start, "element", _("<%(name)s> does not belong in a mail.") % {"name": name})
        return
    if name == "link":
        yield Danger(token.start, "external_css", _("External style sheets are not loaded by mail programs."))
    elif name in _FRAMING:
        yield Danger(token.start, "active_content", _("<%(name)s> is not allowed in a mail.") % {"name": name})
    elif name in _FORMS:
        yield Danger(token.start, "form", _("Forms do not work in mails; link to a page with the form instead."))
    else:
        shown = name if len(name) <= 40 else name[:40] + "…"
        yield Danger(token.start, "element", _("<%(name)s> does not belong in a mail.") % {"name": shown})


def _attribute(token: Token, attribute: Attribute) -> Iterator[Danger]:
    name = attribute.name
    if name.startswith("on"):
        yield Danger(attribute.start, "event_handler", _("“%(name)s” would run a script.") % {"name": name})
    elif name == "srcdoc":
        yield Danger(attribute.start, "active_content", _("“%(name)s” is not allowed in a mail.") % {"name": name})
    elif name == "style" or name.endswith("-style"):
        yield from _css(_decoded(attribute.value), attribute.start)
    elif name in URL_ATTRIBUTES:
        yield from _url(token, attribute)


def _url(token: Token, attribute: Attribute) -> Iterator[Danger]:
    allowed = _LINK_SCHEMES if attribute.name == "href" and token.name != "v:fill" else _IMAGE_SCHEMES
    for candidate in attribute.value.split(",") if attribute.name == "srcset" else [attribute.value]:
        scheme = url_scheme(candidate)
        if scheme not in allowed:
            yield Danger(
                attribute.start,
                "link_scheme",
                _("Addresses of the kind “%(scheme)s:” are refused.") % {"scheme": scheme},
            )
            return
        if scheme in {"http", "https"} and not _readable(candidate):
            yield Danger(attribute.start, "bad_address", _("This is not a web address."))
            return


def url_scheme(raw: str) -> str:
    """As a browser reads it: entities decoded, blanks and controls dropped. Empty for relative addresses."""
    match = _SCHEME.match(_IGNORED_IN_URL.sub("", _decoded(raw)))
    return match.group(1).lower() if match else ""


def _readable(raw: str) -> bool:
    try:
        parts = urlsplit(_decoded(raw).strip())
        if parts.hostname and not parts.netloc.isascii():
            idna.encode(parts.hostname, uts46=True)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0) and parts.username is None
    except ValueError:  # idna's errors are among them
        return False


def _css(css: str, at: int) -> Iterator[Danger]:
    plain = _CSS_COMMENT.sub("", _CSS_ESCAPE.sub(_css_character, css))
    if re.search(r"@import\b", plain, re.IGNORECASE):
        yield Danger(at, "external_css", _("External style sheets are not loaded by mail programs."))
    if _CSS_DANGER.search(plain):
        yield Danger(at, "active_content", _("This style would run a script."))


def _css_character(match: re.Match[str]) -> str:
    if match.group(1) is None:
        return match.group(2)
    point = int(match.group(1), 16)
    return chr(point) if 0 < point < 0x110000 else ""


def _decoded(raw: str) -> str:
    return html.unescape(raw)
