"""A compiled template cut into pieces. What never changes is encoded once; for each person only what differs is looked
up and put between.

Most tags of a mail print one value. Those are done here; whatever decides or computes (conditions, filters) becomes a
small template of its own for the engine. Pieces print what the engine would print of the whole, byte for byte, and know
no errors: what is missing or unusual is raised as ``Unusual``, and the whole is rendered by the engine, which can say
what is wrong.
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from hongyan.core.text import crlf

# Where opens are counted, as ``build`` weaves it in.
PIXEL = (
    '{% if _p %}<img src="{{ _p|safe }}" width="1" height="1" alt=""'
    ' style="display:block;width:1px;height:1px;border:0">{% endif %}'
)
# The code between brackets never holds a bracket itself (``language.expressions.quote``).
_TAG = re.compile(r"(\{\{[^{}]*\}\}|\{%[^{}]*%\}|\{#[^{}]*#\})")
_OPENS = re.compile(r"\{[{%#]")
_LINK = re.compile(r"\{\{ _l\[(\d+)\]\|safe \}\}\Z")
_NAMES = r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*){0,2}"
_PATH = re.compile(rf"\{{\{{ ({_NAMES}) \}}\}}\Z")
_OR_TEXT = re.compile(rf'\{{\{{ \(({_NAMES}) if ({_NAMES}) is defined else "([^"\\]*)"\) \}}\}}\Z')
_ACT = re.compile(r"\{%-? (if|elif|else|endif)\b")
_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#x27;"), ("/", "&#x2f;"))
_SPECIAL = re.compile("[&<>\"'/]")

Values = Mapping[str, Any]
Slot = Callable[[Values], bytes]


class Unusual(Exception):
    """Only the engine can render this for this person, or say why it cannot be."""


class Uncut(Exception):
    """The template has something that reaches over its pieces."""


class Pieces:
    """is_html: values are escaped. ready: names that hold addresses, escaped as such. chunk: gives the engine a small
    template and returns what renders it. Raises Uncut."""

    def __init__(
        self,
        source: str,
        *,
        is_html: bool,
        ready: frozenset[str],
        links: int,
        chunk: Callable[[str], Callable[[Values], str]],
    ) -> None:
        self._is_html, self._ready, self._chunk = is_html, ready, chunk
        self._slots: list[Slot] = []
        self._by_code: dict[str, int] = {}
        self.uses_engine = False
        pool: list[bytes] = []
        order: list[tuple[int, int]] = []  # (0 constant | 1 link | 2 slot, number)
        for code in _units(source):
            if found := _LINK.match(code):
                if int(found[1]) >= links:
                    raise Uncut
                order.append((1, int(found[1])))
            elif code.startswith("{") and _OPENS.match(code):
                order.append((2, self._slot(code)))
            elif code:
                order.append((0, len(pool)))
                pool.append(crlf(code.encode()))
        pool += [b"", b""]
        order += [(0, len(pool) - 2), (0, len(pool) - 1)]  # two at least, so that there is always a tuple to join
        starts = (0, len(pool), len(pool) + links)
        self._constants = pool
        self._order = itemgetter(*(starts[kind] + number for kind, number in order))

    def join(self, values: Values, links: Sequence[bytes]) -> bytes:
        """UTF-8 with CRLF. Raises Unusual."""
        try:
            slots = [slot(values) for slot in self._slots]
        except (KeyError, TypeError) as error:
            raise Unusual from error
        return b"".join(self._order([*self._constants, *links, *slots]))

    def _slot(self, code: str) -> int:
        known = self._by_code.get(code)
        if known is None:
            known = self._by_code[code] = len(self._slots)
            self._slots.append(self._made(code))
        return known

    def _made(self, code: str) -> Slot:
        if code == PIXEL:
            before, after = (part.encode() for part in _pixel_parts())
            return lambda values: before + values["_p"].encode() + after if values["_p"] else b""
        if found := _PATH.match(code):
            return self._printed(found[1])
        if (found := _OR_TEXT.match(code)) and found[1] == found[2]:
            return self._printed(found[1], fallback=_escaped(found[3]) if self._is_html else found[3].encode())
        self.uses_engine = True
        render = self._chunk(code)
        return lambda values: crlf(render(values).encode("utf-8", "replace"))

    def _printed(self, path: str, fallback: bytes | None = None) -> Slot:
        *holders, last = path.split(".")
        if not holders and last in self._ready:
            return _address_of(last, escaped=self._is_html)
        escaped, special = (_escaped, _SPECIAL.search) if self._is_html else (str.encode, None)

        def slot(values: Values) -> bytes:
            for name in holders:
                values = values[name]
            value = values.get(last)
            if value.__class__ is str:  # cleaned when it came in: no line ends, no controls
                return value.encode() if special is None or special(value) is None else escaped(value)
            if value.__class__ is int:
                return b"%d" % value
            if value is None and fallback is not None:
                return fallback
            raise Unusual

        return slot


def _escaped(value: str) -> bytes:
    """As the engine escapes."""
    for character, entity in _ESCAPES:
        value = value.replace(character, entity)
    return value.encode()


def _address_of(name: str, *, escaped: bool) -> Slot:
    if escaped:
        return lambda values: html.escape(values[name]).encode()
    return lambda values: values[name].encode()


def _units(source: str) -> list[str]:
    """Constant texts, printing tags, and whole conditions from ``if`` to ``endif``. Raises Uncut."""
    parts = _TAG.split(source)
    units: list[str] = []
    depth, open_at = 0, 0
    for number, part in enumerate(parts):
        step = _step(part) if number % 2 else 0
        if number % 2 == 0 and _OPENS.search(part):
            raise Uncut
        if step > 0 and not depth:
            open_at = number
        depth += step
        if step < 0 and not depth:
            units.append("".join(parts[open_at : number + 1]))
        elif not depth and not part.startswith("{#"):
            units.append(part)
    if depth:
        raise Uncut
    return units


def _step(tag: str) -> int:
    """How a tag changes the depth of conditions. Raises Uncut."""
    if "-" in (tag[2], tag[-3]):
        raise Uncut  # takes blanks away from its neighbours
    if not tag.startswith("{%"):
        return 0
    act = _ACT.match(tag)
    if act is None:
        raise Uncut  # ``set`` is remembered behind it
    return {"if": 1, "endif": -1}.get(act[1], 0)


def _pixel_parts() -> list[str]:
    """What stands before and behind the address in the pixel's own code."""
    inner = PIXEL.removeprefix("{% if _p %}").removesuffix("{% endif %}")
    return inner.split("{{ _p|safe }}")
