"""Checks the tags of a source against the catalogue and writes each anew for MiniJinja.

Empty values are absent from the context, so in MiniJinja they are undefined: printing one is an error that names the
field, ``or``/``default`` step in, and tests see nothing. A comparison with an empty value is written so that it is
false (``!=``: true) instead of an error.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from hongyan.content.language.expressions import (
    Both,
    Choice,
    Compared,
    Either,
    Filtered,
    ListOf,
    Literal,
    Node,
    Not,
    Path,
    Reader,
    Tested,
    quote,
)
from hongyan.content.language.tags import BadTag, Tag

MAX_TAGS = 2000
_ROOTS = frozenset({"contact", "mail", "sender", "today", "unsubscribe_url", "preferences_url", "view_url"})

Unknown = Callable[[str], str | None]  # path → what to say when it is not in the catalogue


@dataclass(frozen=True, slots=True)
class Piece:
    """One tag as MiniJinja gets it. expression: of a printing tag, alone, for the places where a link is made of it."""

    text: str
    expression: str = ""
    node: Node | None = None


@dataclass(slots=True)
class Program:
    pieces: list[Piece] = field(default_factory=list)  # one a tag
    variables: set[str] = field(default_factory=set)
    required: dict[str, int] = field(default_factory=dict)  # path printed without a fallback → offset of the first
    replaced: dict[str, str] = field(default_factory=dict)  # path → what is read where its value is empty
    problems: list[BadTag] = field(default_factory=list)


@dataclass(slots=True)
class _Branch:
    """An open ``if``: fields known to be filled inside, and what earlier branches' failing has taught."""

    start: int
    filled: frozenset[str]
    taught: frozenset[str]
    has_else: bool = False


def analyse(tags: Iterable[Tag], *, unknown: Unknown, fallbacks: Mapping[str, str]) -> Program:
    writer = _Writer(unknown, fallbacks)
    for count, tag in enumerate(tags):
        if count == MAX_TAGS:
            writer.out.problems.append(BadTag(tag.start, "too_many_tags", _("Too many tags in one mail.")))
            break
        try:
            writer.out.pieces.append(writer.piece(tag))
        except BadTag as problem:
            writer.out.problems.append(problem)
            writer.out.pieces.append(Piece(""))
    writer.out.problems.extend(
        BadTag(branch.start, "unclosed_if", _("This “if” has no “endif”.")) for branch in writer.branches
    )
    return writer.out


class _Writer:
    def __init__(self, unknown: Unknown, fallbacks: Mapping[str, str]) -> None:
        self.out = Program()
        self.branches: list[_Branch] = []
        self._unknown, self._fallbacks = unknown, fallbacks
        self._locals: dict[str, frozenset[str]] = {}  # name → fields it may be empty for

    def piece(self, tag: Tag) -> Piece:
        if tag.kind == "{#":
            return Piece("")
        reader = Reader(tag.tokens, tag.end - 2)
        if tag.kind == "{{":
            node = reader.expression()
            reader.done()
            self._require(self._gaps(node), tag.start)
            text = self._write(node, printing=True)
            return Piece(_bracket(tag, "{{", text), text, node)
        return Piece(_bracket(tag, "{%", self._act(reader, tag)))

    # what acts
    def _act(self, reader: Reader, tag: Tag) -> str:
        word = reader.take()
        actions = {"if": self._if, "elif": self._elif, "else": self._else, "endif": self._endif, "set": self._set}
        if word.kind != "name" or word.text not in actions:
            raise BadTag(word.at, "unknown_tag", _unknown_tag(word.text))
        text = actions[word.text](reader, tag)
        reader.done()
        return text

    def _if(self, reader: Reader, tag: Tag) -> str:
        # Opened before its condition is read: a bad condition must not make its endif wrong as well.
        self.branches.append(_Branch(tag.start, frozenset(), frozenset()))
        node = reader.expression()
        self.branches[-1] = _Branch(tag.start, _implied(node, truth=True), _implied(node, truth=False))
        return "if " + self._write(node)

    def _elif(self, reader: Reader, tag: Tag) -> str:
        branch = self._open(tag)
        node = reader.expression()
        branch.filled = branch.taught | _implied(node, truth=True)
        branch.taught = branch.taught | _implied(node, truth=False)
        return "elif " + self._write(node)

    def _else(self, reader: Reader, tag: Tag) -> str:
        del reader
        branch = self._open(tag)
        branch.filled, branch.has_else = branch.taught, True
        return "else"

    def _endif(self, reader: Reader, tag: Tag) -> str:
        del reader
        if not self.branches:
            raise BadTag(tag.start, "stray", _("This “endif” closes nothing."))
        self.branches.pop()
        return "endif"

    def _open(self, tag: Tag) -> _Branch:
        if not self.branches or self.branches[-1].has_else:
            raise BadTag(tag.start, "stray", _("There is no “if” open here."))
        return self.branches[-1]

    def _set(self, reader: Reader, tag: Tag) -> str:
        name = reader.name()
        if name.text in _ROOTS or name.text.startswith("_"):
            raise BadTag(name.at, "reserved", _("“%(name)s” is a name of Hongyan's own.") % {"name": name.text})
        reader.expect("=")
        node = reader.expression()
        text = f"set {name.text} = {self._write(node, printing=True)}"
        gaps = self._gaps(node) - self._filled()
        self._locals[name.text] = self._locals.get(name.text, frozenset()) | gaps
        del tag
        return text

    # what is read
    def _require(self, gaps: frozenset[str], at: int) -> None:
        for path in gaps - self._filled():
            self.out.required.setdefault(path, at)

    def _filled(self) -> frozenset[str]:
        return frozenset().union(*(branch.filled for branch in self.branches))

    def _gaps(self, node: Node) -> frozenset[str]:
        """Fields whose emptiness would leave a gap where this is printed."""
        match node:
            case Path():
                if node.names[0] in self._locals and len(node.names) == 1:
                    return frozenset() if node.dotted in self._filled() else self._locals[node.dotted]
                return frozenset() if node.dotted in self._fallbacks else frozenset({node.dotted})
            case Either(left=_, right=right):
                return self._gaps(right)
            case Filtered(name="default", arguments=(replacement,)):
                return self._gaps(replacement)
            case Filtered(value=value):
                return self._gaps(value)
            case Choice(then=then, test=test, otherwise=otherwise):
                return (self._gaps(then) - _implied(test, truth=True)) | (
                    self._gaps(otherwise) - _implied(test, truth=False)
                )
            case Both(left=left, right=right):
                return self._gaps(left) | self._gaps(right)
            case ListOf(items=items):
                return frozenset().union(*map(self._gaps, items))
            case _:
                return frozenset()

    # what MiniJinja gets
    def _write(self, node: Node, *, printing: bool = False) -> str:  # noqa: C901 - one case a node
        """printing: the value itself goes out, so the draft's fallback belongs here and emptiness is an error."""
        match node:
            case Literal(value=str(text)):
                return quote(text)
            case Literal(value=value):
                return "none" if value is None else repr(value).lower()
            case Path():
                return self._write_path(node, printing=printing)
            case ListOf(items=items):
                return "[" + ", ".join(self._write(item) for item in items) + "]"
            case Filtered():
                return self._write_filter(node, printing=printing)
            case Compared():
                return self._write_comparison(node)
            case Tested(value=value, name=name, negated=negated):
                # An empty value is undefined to MiniJinja, so "none" and "undefined" are one thing.
                name = "undefined" if name == "none" else name
                text = f"{self._write(value)} is {'not ' if negated else ''}{name}"
                guards = [] if name in {"defined", "undefined"} else self._guards(value)
                return "(" + " and ".join([*guards, text]) + ")"
            case Not(value=value):
                return f"(not {self._write(value)})"
            case Both(left=left, right=right):
                return f"({self._write(left, printing=printing)} and {self._write(right, printing=printing)})"
            case Either(left=left, right=right):
                self._note_replacement(left, right, printing=printing)
                return f"({self._write(left)} or {self._write(right, printing=printing)})"
            case Choice(then=then, test=test, otherwise=otherwise):
                self._note_replacement(then, otherwise, printing=printing)
                first, last = self._write(then, printing=printing), self._write(otherwise, printing=printing)
                return f"({first} if {self._write(test)} else {last})"

    def _note_replacement(self, value: Node, replacement: Node, *, printing: bool) -> None:
        if printing and isinstance(replacement, Literal):
            for path in _paths(value):
                self.out.replaced.setdefault(path, "" if replacement.value is None else str(replacement.value))

    def _write_path(self, node: Path, *, printing: bool) -> str:
        if len(node.names) == 1 and node.names[0] in self._locals:
            return node.dotted
        complaint = self._unknown(node.dotted)
        if complaint is not None:
            raise BadTag(node.at, "unknown_field", complaint)
        self.out.variables.add(node.dotted)
        if not printing:
            return node.dotted
        if fallback := self._fallbacks.get(node.dotted):
            self.out.replaced.setdefault(node.dotted, fallback)
            return f"({node.dotted} or {quote(fallback)})"
        return node.dotted

    def _write_filter(self, node: Filtered, *, printing: bool) -> str:
        arguments = [self._write(argument, printing=printing) for argument in node.arguments]
        guards = self._guards(node.value)
        if node.name == "default":
            self._note_replacement(node.value, node.arguments[0], printing=printing)
        if node.name == "default" and guards:
            # Not MiniJinja's own: in ``contact.city|upper|default("…")`` the empty value would fail in upper.
            test = " and ".join(guards)
            return f"({self._write(node.value)} if {test} else {arguments[0]})"
        text = f"{self._write(node.value, printing=printing)}|{node.name}"
        if arguments:
            text += f"({', '.join(arguments)})"
        return text if printing or not guards else "(" + " and ".join([*guards, text]) + ")"

    def _write_comparison(self, node: Compared) -> str:
        negative = node.operator in {"!=", "not in"}
        operator = {"!=": "==", "not in": "in"}.get(node.operator, node.operator)
        text = f"{self._write(node.left)} {operator} {self._write(node.right)}"
        text = "(" + " and ".join([*self._guards(node.left), *self._guards(node.right), text]) + ")"
        return f"(not {text})" if negative else text

    def _guards(self, node: Node) -> list[str]:
        return [f"{path} is defined" for path in sorted(set(_paths(node)))]


def _paths(node: Node) -> list[str]:
    match node:
        case Path():
            return [node.dotted]
        case Filtered(name="default") | Literal() | Either() | Choice():
            return []
        case Filtered(value=value) | Tested(value=value) | Not(value=value):
            return _paths(value)
        case Compared(left=left, right=right) | Both(left=left, right=right):
            return _paths(left) + _paths(right)
        case ListOf(items=items):
            return [path for item in items for path in _paths(item)]


def _implied(node: Node, *, truth: bool) -> frozenset[str]:
    """Fields certainly filled when the node is true (or false)."""
    match node:
        case Path():
            return frozenset({node.dotted}) if truth else frozenset()
        case Not(value=value):
            return _implied(value, truth=not truth)
        case Both(left=left, right=right) if truth:
            return _implied(left, truth=True) | _implied(right, truth=True)
        case Both(left=left, right=right):
            return _implied(left, truth=False) & _implied(right, truth=False)
        case Either(left=left, right=right) if truth:
            return _implied(left, truth=True) & _implied(right, truth=True)
        case Either(left=left, right=right):
            return _implied(left, truth=False) | _implied(right, truth=False)
        case Tested(value=Path() as path, name=name, negated=negated):
            filled = {"defined": not negated, "undefined": negated, "none": negated}.get(name)
            return frozenset({path.dotted}) if filled is truth else frozenset()
        case Compared(operator=operator, left=left, right=right):
            # Comparisons are guarded: true (or for the negative ones, false) only when every field in them is filled.
            if truth is (operator not in {"!=", "not in"}):
                return frozenset(_paths(left) + _paths(right))
            return frozenset()
        case _:
            return frozenset()


def _bracket(tag: Tag, opener: str, text: str) -> str:
    closer = {"{{": "}}", "{%": "%}"}[opener]
    return f"{opener}{'-' if tag.strip_before else ''} {text} {'-' if tag.strip_after else ''}{closer}"


def _unknown_tag(word: str) -> str:
    if word in {"for", "endfor"}:
        return _("Loops are not part of the merge language.")
    if word == "include":
        return _('Write {%% include "snippet:key" %%} with the key of a snippet.') % {}
    return _("There is no tag “%(word)s”. Available: if, elif, else, endif, set, include.") % {"word": word}
