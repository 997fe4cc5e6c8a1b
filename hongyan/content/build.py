"""Draft in, compiled mail out, or every reason why not. Pure: snippets and the catalogue are arguments.

Order: include snippets → read merge tags → put marks in their place → check and compile the markup → number links →
write the text part → weave the tags back in as MiniJinja.
"""

import hashlib
import html
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from hongyan.content.catalogue import ALWAYS_FILLED, Catalogue, unknown_field
from hongyan.content.errors import ContentProblem
from hongyan.content.language.mapping import Mapped
from hongyan.content.language.program import Piece, Program, analyse
from hongyan.content.language.tags import BadTag, Places, cut
from hongyan.content.markup import links as linking
from hongyan.content.markup import mjml, safety
from hongyan.content.markup.masks import Marks
from hongyan.content.markup.plain import plain
from hongyan.content.markup.scan import tokens
from hongyan.content.pieces import PIXEL
from hongyan.content.snippets import expand
from hongyan.content.types import Link, MailDraft, Part, Problem, SourceKind

MAX_SOURCE = 512 * 1024  # characters; far beyond what any mailbox shows
MAX_SUBJECT = 400
# Keeps the first words of the body out of the inbox preview behind a short preheader.
_PREHEADER_PADDING = "&#847;&zwnj;&nbsp;" * 60
_PREHEADER = (
    '<div style="display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;'
    'mso-hide:all">%s</div>'
)
_BRACE = re.compile(r"\{(?=[{%#])|\{\Z")


@dataclass(frozen=True, slots=True)
class Compiled:
    subject: str
    html: str
    text: str
    variables: tuple[str, ...]
    required: tuple[str, ...]
    replaced: Mapping[str, str]  # printed fields with a fallback → the fallback
    links: tuple[Link, ...]


@dataclass(slots=True)
class _Source:
    """One part on its way: the text with marks, and how to find back."""

    part: Part
    places: Places
    expanded: Mapped = field(default_factory=Mapped)
    masked: Mapped = field(default_factory=Mapped)

    def problem(self, expanded_at: int, code: str, message: str) -> Problem:
        offset, snippet = self.expanded.origin(expanded_at)
        line, column = self.places.at(offset)
        if snippet:
            message = _("In the snippet “%(key)s”: %(message)s") % {"key": snippet, "message": message}
        return Problem(self.part, line, column, code, message)

    def masked_problem(self, at: int, code: str, message: str) -> Problem:
        return self.problem(self.masked.origin(at)[0], code, message)


def build(draft: MailDraft, *, catalogue: Catalogue, snippets: Mapping[str, str]) -> Compiled:
    """Raises ContentProblem with everything that is wrong, not only the first."""
    return _Builder(draft, catalogue, snippets).build()


def fingerprint(draft: MailDraft, compiled: Compiled) -> str:
    """SHA-256 over everything a recipient could see. Equal inputs have equal fingerprints, on any machine."""
    content = [
        [draft.kind, draft.language, draft.mail_type, draft.subject, draft.preheader, draft.source, draft.text_source],
        [sorted(draft.fallbacks.items()), draft.utm_campaign, compiled.subject, compiled.html, compiled.text],
    ]
    return hashlib.sha256(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


class _Builder:
    def __init__(self, draft: MailDraft, catalogue: Catalogue, snippets: Mapping[str, str]) -> None:
        self._draft, self._catalogue, self._snippets = draft, catalogue, snippets
        self._problems: list[Problem] = []
        self._pieces: list[Piece] = []
        self._programs: list[Program] = []

    def build(self) -> Compiled:
        self._check_sizes()
        texts = {
            Part.SUBJECT: self._draft.subject,
            Part.PREHEADER: self._draft.preheader,
            Part.SOURCE: self._draft.source,
            Part.TEXT: self._draft.text_source if self._draft.kind is not SourceKind.TEXT else "",
        }
        sources = {part: self._expanded(part, text) for part, text in texts.items()}
        marks = Marks.unused_in(*(source.expanded.text for source in sources.values()))
        if marks is None:
            problem = Problem(Part.SOURCE, 0, 0, "characters", _("The source uses characters Hongyan needs itself."))
            raise ContentProblem([problem])
        for source in sources.values():
            self._mask(source, marks)
        linker = linking.Linker(marks, self._pieces, self._draft.utm_campaign)
        markup = self._markup(sources, marks, linker)
        text = self._text(sources, markup, marks, linker)
        if complaint := linking.too_many(linker.links):
            raise ContentProblem([Problem(Part.SOURCE, 0, 0, "too_many_links", complaint)])
        return self._compiled(sources[Part.SUBJECT], markup, text, marks, linker)

    # reading
    def _check_sizes(self) -> None:
        for part, text, limit in (
            (Part.SUBJECT, self._draft.subject, MAX_SUBJECT),
            (Part.PREHEADER, self._draft.preheader, MAX_SUBJECT),
            (Part.SOURCE, self._draft.source, MAX_SOURCE),
            (Part.TEXT, self._draft.text_source, MAX_SOURCE),
        ):
            if len(text) > limit:
                message = _("Longer than the %(limit)d characters allowed here.") % {"limit": limit}
                self._problems.append(Problem(part, 0, 0, "too_long", message))
            if "\x00" in text:
                self._problems.append(Problem(part, 0, 0, "nul", _("Contains a NUL character.")))
        if not self._draft.source.strip():
            self._problems.append(Problem(Part.SOURCE, 0, 0, "empty_mail", _("The mail is empty.")))
        self._stop()

    def _expanded(self, part: Part, text: str) -> _Source:
        source = _Source(part, Places.of(text))
        source.expanded, problems = expand(text, self._snippets, limit=MAX_SOURCE)
        self._problems += [Problem(part, *source.places.at(bad.at), bad.code, bad.message) for bad in problems]
        return source

    def _mask(self, source: _Source, marks: Marks) -> None:
        text = source.expanded.text
        tags, bad = cut(text)
        program = analyse(tags, unknown=self._unknown, fallbacks=self._draft.fallbacks)
        self._report(source, [*bad, *program.problems])
        position = 0
        for tag, piece in zip(tags, program.pieces, strict=False):
            source.masked.copy(text[position : tag.start], position)
            source.masked.make(marks.mark(len(self._pieces)), tag.start)
            self._pieces.append(piece if tag.kind != "{#" else Piece("{# #}"))
            position = tag.end
        source.masked.copy(text[position:], position)
        self._programs.append(program)
        if source.part in {Part.SUBJECT, Part.PREHEADER}:
            self._refuse_line_breaks(source)

    def _unknown(self, path: str) -> str | None:
        return unknown_field(path, self._catalogue)

    def _report(self, source: _Source, bad: Iterable[BadTag]) -> None:
        self._problems += [source.problem(found.at, found.code, found.message) for found in bad]

    def _refuse_line_breaks(self, source: _Source) -> None:
        if any(not character.isprintable() and ord(character) < 0xA0 for character in source.expanded.text):
            message = _("Line breaks and control characters are not possible here.")
            self._problems.append(Problem(source.part, 1, 0, "control_character", message))

    def _stop(self) -> None:
        if self._problems:
            raise ContentProblem(sorted(self._problems, key=lambda p: (list(Part).index(p.part), p.line, p.column)))

    # compiling
    def _markup(self, sources: Mapping[Part, _Source], marks: Marks, linker: linking.Linker) -> str:
        if self._draft.kind is SourceKind.TEXT:
            self._stop()
            return ""
        source = sources[Part.SOURCE]
        markup = safety.without_external_css(source.masked.text)
        if self._draft.kind is SourceKind.MJML:
            markup = self._from_mjml(source, markup, marks)
        else:
            self._collect(source, safety.dangers(markup), linking.misplaced(markup, marks))
        self._stop()
        markup = linker.in_html(markup)
        return _with_pixel(_with_preheader(markup, sources[Part.PREHEADER].masked.text), linker)

    def _from_mjml(self, source: _Source, markup: str, marks: Marks) -> str:
        found = [*mjml.problems(markup, marks), *safety.dangers(markup, is_mjml=True)]
        self._collect(source, found, linking.misplaced(markup, marks))
        self._stop()
        try:
            compiled = mjml.to_html(markup, marks, language=_html_language(self._draft.language))
        except ValueError as error:
            message = _("This MJML cannot be compiled: %(reason)s") % {"reason": str(error)[:200]}
            raise ContentProblem([Problem(Part.SOURCE, 0, 0, "mjml", message)]) from error
        # The compiler's output is judged as well: what it makes of an attribute must be as harmless as that was.
        for danger in [*safety.dangers(compiled), *linking.misplaced(compiled, marks)]:
            self._problems.append(Problem(Part.SOURCE, 0, 0, danger.code, danger.message))
        return compiled

    def _collect(self, source: _Source, *found: Iterable[safety.Danger]) -> None:
        seen: set[tuple[int, str]] = set()
        for dangers in found:
            for danger in dangers:
                if (danger.at, danger.code) not in seen:
                    seen.add((danger.at, danger.code))
                    self._problems.append(source.masked_problem(danger.at, danger.code, danger.message))

    def _text(self, sources: Mapping[Part, _Source], markup: str, marks: Marks, linker: linking.Linker) -> str:
        if self._draft.kind is SourceKind.TEXT:
            return linker.in_text(sources[Part.SOURCE].masked.text)
        if self._draft.text_source.strip():
            return linker.in_text(sources[Part.TEXT].masked.text)
        return plain(markup, marks)

    def _compiled(self, subject: _Source, markup: str, text: str, marks: Marks, linker: linking.Linker) -> Compiled:
        def piece(number: int) -> str:
            return self._pieces[number].text if number < len(self._pieces) else ""

        variables = set().union(*(program.variables for program in self._programs))
        required = set().union(*(program.required for program in self._programs)) - ALWAYS_FILLED
        replaced: dict[str, str] = {}
        for program in self._programs:
            replaced = program.replaced | replaced
        return Compiled(
            subject=weave(subject.masked.text.strip(), marks, piece),
            html=weave(markup, marks, piece),
            text=weave(text, marks, piece),
            variables=tuple(sorted(variables)),
            required=tuple(sorted(required)),
            replaced={path: text for path, text in sorted(replaced.items()) if path in self._catalogue},
            links=tuple(linker.links),
        )


def weave(masked: str, marks: Marks, piece: Callable[[int], str]) -> str:
    """Puts template code back in place of its marks. A brace in the text that could begin a tag with what follows it is
    printed instead, so no arrangement of text and comments can make code the author was not allowed to write."""
    parts = marks.pattern.split(masked)
    for number, part in enumerate(parts):
        parts[number] = piece(int(part)) if number % 2 else _BRACE.sub('{{ "\\\\u007b" }}', part)
    return "".join(parts)


def _with_preheader(markup: str, preheader: str) -> str:
    if not preheader.strip():
        return markup
    block = _PREHEADER % (html.escape(preheader.strip(), quote=False) + _PREHEADER_PADDING)
    body = next((token for token in tokens(markup) if token.kind == "open" and token.name == "body"), None)
    at = body.end if body else 0
    return markup[:at] + block + markup[at:]


def _with_pixel(markup: str, linker: linking.Linker) -> str:
    ends = [token.start for token in tokens(markup) if token.kind == "close" and token.name in {"body", "html"}]
    at = min(ends, default=len(markup))
    return markup[:at] + linker.add_piece(PIXEL) + markup[at:]


def _html_language(code: str) -> str:
    return {"zh-hans": "zh-Hans", "zh-hant": "zh-Hant"}.get(code.lower(), code)
