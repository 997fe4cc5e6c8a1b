"""Snippets in a source: ``{% include "snippet:key" %}`` becomes the snippet's text, with the way back kept."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from hongyan.content.language.expressions import unquote
from hongyan.content.language.mapping import Mapped
from hongyan.content.language.tags import BadTag, Tag, cut

PREFIX = "snippet:"
MAX_DEPTH = 3


def expand(source: str, snippets: Mapping[str, str], *, limit: int) -> tuple[Mapped, list[BadTag]]:
    """The source with snippets put in, and what is wrong, at offsets of the source."""
    out = Mapped()
    problems: list[BadTag] = []
    position = 0
    for tag in cut(source)[0]:
        if not _is_include(tag):
            continue
        out.copy(source[position : tag.start], position)
        position = tag.end
        try:
            _insert(out, _key(tag), tag.start, snippets, path=(), limit=limit)
        except BadTag as problem:
            problems.append(problem)
    out.copy(source[position:], position)
    return out, problems


def included(source: str) -> frozenset[str]:
    """Keys of the snippets a source names directly."""
    keys = set()
    for tag in cut(source)[0]:
        if _is_include(tag):
            try:
                keys.add(_key(tag))
            except BadTag:
                continue
    return frozenset(keys)


def _insert(out: Mapped, key: str, at: int, snippets: Mapping[str, str], *, path: tuple[str, ...], limit: int) -> None:
    if key not in snippets:
        raise BadTag(at, "unknown_snippet", _("There is no snippet “%(key)s”.") % {"key": key[:64]})
    if key in path:
        raise BadTag(at, "snippet_cycle", _("The snippet “%(key)s” includes itself.") % {"key": key})
    if len(path) >= MAX_DEPTH:
        raise BadTag(at, "snippet_depth", _("Snippets are nested too deeply."))
    text, position = snippets[key], 0
    if len(out.text) + len(text) > limit:
        raise BadTag(at, "too_long", _("With its snippets the mail is too long."))
    for tag in cut(text)[0]:
        if _is_include(tag):
            out.make(text[position : tag.start], at, key)
            position = tag.end
            try:
                inner = _key(tag)
            except BadTag as problem:
                raise BadTag(at, problem.code, problem.message) from problem
            _insert(out, inner, at, snippets, path=(*path, key), limit=limit)
    out.make(text[position:], at, key)


def _is_include(tag: Tag) -> bool:
    return tag.kind == "{%" and bool(tag.tokens) and tag.tokens[0].text == "include"


def _key(tag: Tag) -> str:
    name = unquote(tag.tokens[1].text) if len(tag.tokens) == 2 and tag.tokens[1].kind == "string" else ""
    if not name.startswith(PREFIX) or len(name) == len(PREFIX):
        raise BadTag(tag.start, "include", _('Write {%% include "snippet:key" %%} with the key of a snippet.') % {})
    return name[len(PREFIX) :]
