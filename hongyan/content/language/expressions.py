"""What may stand inside a tag: fields, texts, numbers, comparisons, and/or/not, a short list of filters.

Left out on purpose: arithmetic, text joining and repetition, calls, loops, indexing. Each of them lets a short source
become a huge mail or reach into objects; none is needed to address a person.
"""

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from hongyan.content.language.tags import BadTag, Token

COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
# name → how many arguments it may take
FILTERS: dict[str, tuple[int, int]] = {
    "default": (1, 1),
    "d": (1, 1),
    "upper": (0, 0),
    "lower": (0, 0),
    "title": (0, 0),
    "capitalize": (0, 0),
    "trim": (0, 0),
    "truncate": (1, 1),
    "round": (0, 1),
    "length": (0, 0),
    "urlencode": (0, 0),
    "number": (0, 1),
}
TESTS = frozenset({"defined", "undefined", "none", "even", "odd"})
RESERVED = frozenset({"and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None"})
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
MAX_DEPTH = 30
MAX_PARTS = 60  # of chains in one tag: a or b or …, a|f|g …; each lies inside the one before


@dataclass(frozen=True, slots=True)
class Literal:
    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Path:
    names: tuple[str, ...]
    at: int

    @property
    def dotted(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class ListOf:
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Filtered:
    value: "Node"
    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Compared:
    operator: str  # a member of COMPARISONS, "in" or "not in"
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Tested:
    value: "Node"
    name: str
    negated: bool


@dataclass(frozen=True, slots=True)
class Not:
    value: "Node"


@dataclass(frozen=True, slots=True)
class Both:
    """``and``"""

    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Either:
    """``or``"""

    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Choice:
    """``then if test else otherwise``; without an else nothing is printed, which the author chose."""

    then: "Node"
    test: "Node"
    otherwise: "Node"


Node = Literal | Path | ListOf | Filtered | Compared | Tested | Not | Both | Either | Choice


class Reader:
    """Recursive descent over the tokens of one tag. Precedence as in Jinja."""

    def __init__(self, tokens: tuple[Token, ...], end: int) -> None:
        self._tokens, self._next, self._end, self._depth, self._parts = tokens, 0, end, 0, 0

    # the tokens
    def peek(self, *texts: str) -> bool:
        token = self._tokens[self._next] if self._next < len(self._tokens) else None
        return token is not None and token.kind in {"op", "name"} and token.text in texts

    def take(self) -> Token:
        if self._next >= len(self._tokens):
            raise BadTag(self._end, "incomplete", _("Something is missing at the end of this tag."))
        self._next += 1
        return self._tokens[self._next - 1]

    def accept(self, *texts: str) -> Token | None:
        return self.take() if self.peek(*texts) else None

    def expect(self, text: str) -> Token:
        token = self.take()
        if token.kind == "string" or token.text != text:
            raise BadTag(token.at, "unexpected", _("“%(text)s” is expected here.") % {"text": text})
        return token

    def name(self) -> Token:
        token = self.take()
        if token.kind != "name" or token.text in RESERVED:
            raise BadTag(token.at, "unexpected", _("A name is expected here."))
        return token

    def done(self) -> None:
        if self._next < len(self._tokens):
            token = self._tokens[self._next]
            raise BadTag(token.at, "unexpected", _("“%(text)s” is not expected here.") % {"text": token.text})

    def one_more(self) -> None:
        """Before each part of a chain."""
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise BadTag(self._end, "too_deep", _("This expression is nested too deeply."))

    # the grammar
    def expression(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BadTag(self._end, "too_deep", _("This expression is nested too deeply."))
        value = self._either()
        if self.accept("if"):
            test = self._either()
            otherwise = self.expression() if self.accept("else") else Literal("")
            value = Choice(value, test, otherwise)
        self._depth -= 1
        return value

    def _either(self) -> Node:
        value = self._both()
        while self.accept("or"):
            self.one_more()
            value = Either(value, self._both())
        return value

    def _both(self) -> Node:
        value = self._not()
        while self.accept("and"):
            self.one_more()
            value = Both(value, self._not())
        return value

    def _not(self) -> Node:
        negations = 0
        while self.accept("not"):
            negations += 1
        value = self._compared()
        return Not(value) if negations % 2 else value

    def _compared(self) -> Node:
        value = self._filtered()
        while True:
            if self.peek(*COMPARISONS, "in", "not", "is"):
                self.one_more()
            if token := self.accept(*COMPARISONS, "in"):
                value = Compared(token.text, value, self._filtered())
            elif self.peek("not"):
                self.take()
                self.expect("in")
                value = Compared("not in", value, self._filtered())
            elif self.accept("is"):
                value = self._tested(value)
            else:
                return value

    def _tested(self, value: Node) -> Node:
        negated = self.accept("not") is not None
        token = self.take()
        if token.text not in TESTS:
            raise BadTag(token.at, "unknown_test", _("There is no test “%(name)s”.") % {"name": token.text})
        return Tested(value, token.text, negated)

    def _filtered(self) -> Node:
        value = self._primary()
        while self.accept("|"):
            self.one_more()
            token = self.name()
            if token.text not in FILTERS:
                raise BadTag(
                    token.at,
                    "unknown_filter",
                    _("There is no filter “%(name)s”. Available: %(names)s.")
                    % {"name": token.text, "names": ", ".join(sorted(FILTERS))},
                )
            arguments = self._arguments() if self.accept("(") else ()
            low, high = FILTERS[token.text]
            if not low <= len(arguments) <= high:
                raise BadTag(
                    token.at, "arguments", _("The filter “%(name)s” needs other arguments.") % {"name": token.text}
                )
            value = Filtered(value, "default" if token.text == "d" else token.text, arguments)
        return value

    def _arguments(self, closer: str = ")") -> tuple[Node, ...]:
        arguments: list[Node] = []
        while not self.accept(closer):
            arguments.append(self.expression())
            if not self.peek(closer):
                self.expect(",")
        return tuple(arguments)

    def _primary(self) -> Node:
        token = self.take()
        if token.kind == "string":
            return Literal(unquote(token.text))
        if token.kind == "number":
            return Literal(float(token.text) if "." in token.text else int(token.text[:18]))
        if token.text == "-" and (number := self.take()).kind == "number":
            return Literal(-float(number.text) if "." in number.text else -int(number.text[:18]))
        if token.text == "(":
            value = self.expression()
            self.expect(")")
            return value
        if token.text == "[":
            return ListOf(self._arguments("]"))
        if token.text in {"true", "True", "false", "False"}:
            return Literal(token.text.lower() == "true")
        if token.text in {"none", "None"}:
            return Literal(None)
        if token.kind == "name" and token.text not in RESERVED:
            return self._path(token)
        raise BadTag(token.at, "unexpected", _("“%(text)s” is not expected here.") % {"text": token.text})

    def _path(self, first: Token) -> Path:
        names = [first.text]
        while self.accept("."):
            token = self.take()
            if token.kind != "name":
                raise BadTag(token.at, "unexpected", _("A name is expected here."))
            names.append(token.text)
        if self.peek("("):
            raise BadTag(
                first.at, "call", _("“%(name)s(…)”: nothing can be called in a mail.") % {"name": ".".join(names)}
            )
        if self.peek("["):
            raise BadTag(first.at, "index", _("Write a dot and a name instead of brackets."))
        return Path(tuple(names), first.at)


def unquote(text: str) -> str:
    return _ESCAPE.sub(lambda match: {"n": "\n", "t": "\t"}.get(match.group(1), match.group(1)), text[1:-1])


def quote(text: str) -> str:
    """A MiniJinja string literal of exactly this text, in one line and without brackets that could end a tag."""
    out = []
    for character in text:
        if character in '"\\':
            out.append("\\" + character)
        elif character in "{}%#<>&'" or not character.isprintable():
            point = ord(character)
            # JSON's way: beyond the base plane as a pair of surrogates.
            units = [point] if point < 0x10000 else [0xD800 + ((point - 0x10000) >> 10), 0xDC00 + (point & 0x3FF)]
            out.extend(f"\\u{unit:04x}" for unit in units)
        else:
            out.append(character)
    return '"' + "".join(out) + '"'
