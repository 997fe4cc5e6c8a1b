"""MJML to HTML through mrml, with the checks and small repairs mrml leaves to its caller."""

import unicodedata
from collections.abc import Iterator

import mrml
from django.utils.translation import gettext as _

from hongyan.content.markup.masks import Marks
from hongyan.content.markup.safety import Danger
from hongyan.content.markup.scan import Token, tokens
from hongyan.content.words import names

# Elements whose content is HTML or text; everything else holds only other MJML elements.
CONTENT = names(
    "mj-text mj-button mj-table mj-raw mj-navbar-link mj-social-element mj-accordion-title mj-accordion-"
    " text mj-preview mj-title mj-style"
)
STRUCTURE = names(
    "mjml mj-head mj-body mj-section mj-column mj-group mj-wrapper mj-hero mj-image mj-divider mj-spacer"
    " mj-social mj-navbar mj-accordion mj-accordion-element mj-carousel mj-carousel-image mj-attributes"
    " mj-all mj-class mj-breakpoint mj-html-attributes mj-selector mj-html-attribute mj-font"
)
ELEMENTS = CONTENT | STRUCTURE
# Where a merge tag may stand beside elements: there it is put into mj-raw, which both MJML and mrml print as it is.
_RAW_PARENTS = frozenset(
    {"mj-body", "mj-section", "mj-column", "mj-group", "mj-wrapper", "mj-hero", "mj-social", "mj-navbar"}
)
_VOID = frozenset("area br col hr img source wbr meta".split())  # noqa: SIM905
# Attributes that may carry merge tags: they become text or addresses, not styles.
MERGE_ATTRIBUTES = frozenset({"href", "src", "alt", "title", "background-url", "srcset", "aria-label"})


def problems(source: str, marks: Marks) -> Iterator[Danger]:  # noqa: C901 - one pass, one case a token
    """Structure: unknown elements, wrong nesting, merge tags where they cannot work. mrml drops or misplaces these."""
    stack: list[Token] = []
    roots = 0
    for token in tokens(source):
        if token.kind == "open" and not stack:
            roots += token.name == "mjml"
            if token.name != "mjml":
                yield Danger(token.start, "mjml_root", _("MJML begins with <mjml>."))
                return
        if token.kind == "open":
            yield from _element(source, token, stack, marks)
            if source[token.end - 2 : token.end] != "/>" and token.name not in _VOID:
                stack.append(token)
        elif token.kind == "close":
            if not stack or stack[-1].name != token.name:
                yield _mismatch(token, stack)
                return
            stack.pop()
        elif token.kind == "text" and stack and stack[-1].name in STRUCTURE:
            yield from _stray_text(source, token, stack[-1], marks)
    if stack:
        yield Danger(stack[-1].start, "unclosed_markup", _("<%(name)s> is never closed.") % {"name": stack[-1].name})
    elif roots != 1:
        yield Danger(0, "mjml_root", _("MJML begins with <mjml>."))


def _element(source: str, token: Token, stack: list[Token], marks: Marks) -> Iterator[Danger]:
    name = token.name
    if name == "mj-include":
        yield Danger(token.start, "mj_include", _('Files cannot be included; use {%% include "snippet:key" %%}.') % {})
    elif name.startswith("mj") and name not in ELEMENTS:
        yield Danger(token.start, "mjml_element", _("MJML has no element <%(name)s>.") % {"name": name[:40]})
    elif not name.startswith("mj") and stack and stack[-1].name in STRUCTURE - {"mj-html-attributes"}:
        yield Danger(
            token.start,
            "mjml_place",
            _("<%(name)s> must stand inside an element such as <mj-text> or <mj-raw>.") % {"name": name[:40]},
        )
    if not name.startswith("mj-"):
        return
    for attribute in token.attributes:
        if marks.within(attribute.value) and attribute.name not in MERGE_ATTRIBUTES:
            yield Danger(attribute.start, "field_in_style", field_in_style())
    if marks.within(source[token.start : token.end]) and any(marks.within(a.name) for a in token.attributes):
        yield Danger(token.start, "field_in_tag", field_in_tag())


def field_in_style() -> str:
    return _("Merge tags work in text, addresses and alternative texts, not in styles.")


def field_in_tag() -> str:
    return _("A merge tag cannot stand here; put it inside a quoted value or in the text.")


def _stray_text(source: str, token: Token, parent: Token, marks: Marks) -> Iterator[Danger]:
    text = source[token.start : token.end]
    if marks.pattern.sub("", text).strip():
        offset = len(text) - len(text.lstrip())
        message = _("Text must stand inside an element such as <mj-text>.")
        yield Danger(token.start + offset, "mjml_place", message)
    elif marks.within(text) and parent.name not in _RAW_PARENTS:
        message = _("A merge tag cannot stand directly in <%(name)s>.") % {"name": parent.name}
        yield Danger(token.start, "mjml_place", message)


def _mismatch(token: Token, stack: list[Token]) -> Danger:
    if not stack:
        return Danger(token.start, "mjml_nesting", _("</%(name)s> closes nothing.") % {"name": token.name[:40]})
    return Danger(
        token.start,
        "mjml_nesting",
        _("</%(name)s> does not match <%(open)s>.") % {"name": token.name[:40], "open": stack[-1].name},
    )


def to_html(source: str, marks: Marks, *, language: str) -> str:
    """source: free of ``problems``. Raises ValueError when mrml refuses it all the same."""
    try:
        compiled = mrml.to_html(_prepared(source, marks), None, mrml.RenderOptions(fonts={})).content
    except OSError as error:
        raise ValueError(str(error)) from error
    return compiled.replace('lang="und" dir="auto"', f'lang="{language}" dir="ltr"')


def _prepared(source: str, marks: Marks) -> str:
    """Merge tags between elements go into mj-raw; attribute values are made safe from mrml, which prints those of inner
    HTML with Rust's debug escapes (a joined emoji in an alt text would come out as ``\\u{200d}``)."""
    out: list[str] = []
    stack: list[str] = []
    for token in tokens(source):
        text = source[token.start : token.end]
        if token.kind == "open":
            out.append(_attributes_made_plain(source, token))
            if not text.endswith("/>") and token.name not in _VOID:
                stack.append(token.name)
            continue
        if token.kind == "close" and stack:
            stack.pop()
        elif text == "<":  # a bare sign in the text
            text = "&lt;"
        elif token.kind == "text" and stack and stack[-1] in STRUCTURE and marks.within(text):
            text = marks.pattern.sub(lambda match: f"<mj-raw>{match.group()}</mj-raw>", text)
        out.append(text)
    return "".join(out)


def _attributes_made_plain(source: str, token: Token) -> str:
    out, position = [], token.start
    for attribute in token.attributes:
        out.append(source[position : attribute.start])
        out.append("".join(map(_plain, attribute.value)))
        position = attribute.end
    return "".join(out) + source[position : token.end]


def _plain(character: str) -> str:
    if character in '"\\':
        return f"&#{ord(character)};"
    if character.isascii() or (character.isprintable() and unicodedata.category(character)[0] != "M"):
        return character if character.isprintable() else " "
    return f"&#{ord(character)};"
