"""Text to the JSON tree, remembering where each part stood, so that any later complaint can point at the words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import orjson
from django.utils.translation import gettext as _
from lark import Lark, Tree
from lark.exceptions import UnexpectedInput

from hongyan.audience.compiler.nodes import MAX_DEPTH
from hongyan.audience.compiler.text.grammar import GRAMMAR
from hongyan.audience.compiler.text.mistakes import problem_of
from hongyan.audience.errors import BadText
from hongyan.audience.types import Span, TextProblem

MAX_LENGTH: Final = 20_000
_SIGNS: Final = {"＝": "=", "≠": "!=", "！=": "!=", "≥": ">=", "≤": "<=", "＞": ">", "＜": "<"}
_HEADS: Final = {"TAG": "tag", "TAG_GROUP": "tag_group", "LIST": "list", "AUDIENCE": "audience"}
_WITHOUT_VALUE: Final = frozenset({"is_set", "is_not_set"})


@dataclass(frozen=True, slots=True)
class Reading:
    """tree: as JSON. spans: JSON pointer of each part → where it stands in the text."""

    tree: dict[str, Any]
    spans: Mapping[str, Span]

    def span_of(self, path: str) -> Span:
        """The words a pointer speaks of; of what surrounds it when it has none of its own."""
        while path and path not in self.spans:
            path = path.rpartition("/")[0]
        return self.spans[path]


def read(text: str) -> Reading:
    """Shape only, as ``parse`` of a tree: whether names exist is for ``check``. Raises BadText with the place."""
    if not text.strip():
        raise BadText(TextProblem(Span(0, 0), "empty", _('Write a condition, for example: city = "上海"')))
    if len(text) > MAX_LENGTH:
        message = _("The text is longer than %(n)d characters.") % {"n": MAX_LENGTH}
        raise BadText(TextProblem(Span(MAX_LENGTH, len(text)), "too_long", message))
    try:
        found = _parser().parse(text)
    except UnexpectedInput as error:
        raise BadText(problem_of(error, text)) from None
    reader = _Reader()
    tree = reader.node(found.children[0], "", inside=False, depth=1)
    return Reading(tree, reader.spans)


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", propagate_positions=True, maybe_placeholders=True)


class _Reader:
    def __init__(self) -> None:
        self.spans: dict[str, Span] = {}

    def node(self, found: Any, path: str, *, inside: bool, depth: int) -> dict[str, Any]:
        kind, parts = found.data, found.children
        self.spans[path] = Span(found.meta.start_pos, found.meta.end_pos)
        if depth > 2 * MAX_DEPTH:
            raise BadText(TextProblem(self.spans[path], "too_deep", _("The conditions are nested too deeply.")))
        if kind in {"or_", "and_"}:
            return self._joined("any" if kind == "or_" else "all", parts, path, inside=inside, depth=depth)
        if kind == "negation":
            return {"not": self.node(parts[1], f"{path}/not", inside=inside, depth=depth + 1)}
        if kind == "group":
            return self.node(parts[1], path, inside=inside, depth=depth + 1)
        if kind == "single":
            head = parts[0].value
            return {head: [self.node(parts[2], f"{path}/{head}/0", inside=inside, depth=depth + 1)]}
        if kind == "comparison":
            return self._comparison("property" if inside else "field", parts, path)
        if inside:
            raise BadText(
                TextProblem(self.spans[path], "not_inside", _("Only properties of the event can be asked here."))
            )
        if kind in {"everyone", "named", "consent"}:
            return {"everyone": self._everyone, "named": self._named, "consent": self._consent}[kind](parts, path)
        happened = {"did": self._did, "sequence": self._sequence, "measured": self._measured, "has": self._has}
        return happened[kind](parts, path, depth)

    def _joined(self, head: str, parts: Any, path: str, *, inside: bool, depth: int) -> dict[str, Any]:
        items = [part for part in parts if isinstance(part, Tree)]
        return {
            head: [
                self.node(item, f"{path}/{head}/{index}", inside=inside, depth=depth + 1)
                for index, item in enumerate(items)
            ]
        }

    def _everyone(self, _parts: Any, _path: str) -> dict[str, Any]:
        return {"everyone": True}

    def _named(self, parts: Any, path: str) -> dict[str, Any]:
        head = _HEADS[parts[0].type]
        self._mark(f"{path}/{head}", parts[2])
        return {head: _value(parts[2].children[0])}

    def _consent(self, parts: Any, path: str) -> dict[str, Any]:
        channel, topic = parts[2], parts[4]
        state = parts[-1]
        at = f"{path}/consent"
        self._mark(f"{at}/channel", channel)
        self._mark(f"{at}/state", state)
        body = {"channel": _value(channel.children[0])}
        if topic is not None:
            self._mark(f"{at}/topic", topic)
            body["topic"] = _value(topic.children[0])
        return {"consent": {**body, "state": _value(state.children[0])}}

    def _did(self, parts: Any, path: str, depth: int) -> dict[str, Any]:
        happened, count, window = parts
        made = self._happened(happened, path, "event", depth)
        where = made.pop("where", None)
        made |= self._count(count, path) | self._window(window, path)
        return made if where is None else {**made, "where": where}

    def _happened(self, found: Any, path: str, head: str, depth: int) -> dict[str, Any]:
        name, where = found.children[2], found.children[5]
        self._mark(f"{path}/{head}", name)
        made: dict[str, Any] = {head: _value(name.children[0])}
        if where is not None:
            made["where"] = self.node(where, f"{path}/where", inside=True, depth=depth + 1)
        return made

    def _has(self, parts: Any, path: str, depth: int) -> dict[str, Any]:
        name, where, count = parts[2], parts[5], parts[7]
        self._mark(f"{path}/object", name)
        made: dict[str, Any] = {"object": _value(name.children[0]), **self._count(count, path)}
        if where is not None:
            made["where"] = self.node(where, f"{path}/where", inside=True, depth=depth + 1)
        return made

    def _count(self, count: Any, path: str) -> dict[str, Any]:
        if count is None:
            return {}
        self._mark(f"{path}/op", count.children[0])
        self.spans[f"{path}/count"] = _place(count.children[1])
        return {"op": _sign(count.children[0]), "count": int(count.children[1])}

    def _measured(self, parts: Any, path: str, depth: int) -> dict[str, Any]:
        measure, name, key, where, operation, window = parts[0], parts[2], parts[4], parts[7], parts[9], parts[10]
        self.spans[f"{path}/measure"] = _place(measure)
        self._mark(f"{path}/event", name)
        made: dict[str, Any] = {"event": _value(name.children[0])}
        made["measure"] = "average" if measure == "avg" else str(measure)
        if key is not None:
            self._mark(f"{path}/property", key)
            made["property"] = _key(key.children[0])
        self._mark(f"{path}/op", operation)
        op, value = self._operation(operation, f"{path}/value")
        made |= {"op": op} if op in _WITHOUT_VALUE else {"op": op, "value": value}
        made |= self._window(window, path)
        if where is not None:
            made["where"] = self.node(where, f"{path}/where", inside=True, depth=depth + 1)
        return made

    def _sequence(self, parts: Any, path: str, depth: int) -> dict[str, Any]:
        first, window, *links = parts
        at = f"{path}/sequence"
        self.spans[at] = self.spans[path]
        self._mark(f"{at}/0", first)
        steps = [self._happened(first, f"{at}/0", "event", depth)]
        for place, link in enumerate(links, start=1):
            absent = link.data == "then_not"
            happened, span = (link.children[2], link.children[4]) if absent else (link.children[1], link.children[3])
            self._mark(f"{at}/{place}", link)
            step = self._happened(happened, f"{at}/{place}", "not_event" if absent else "event", depth)
            if span is not None:
                self._mark(f"{at}/{place}/within", span)
                step["within"] = _within(span.children[0])
            steps.append(step)
        return {"sequence": steps, **self._window(window, path)}

    def _window(self, window: Any, path: str) -> dict[str, Any]:
        if window is None:
            return {}
        key = {"last": "within_days", "last_hours": "within_hours", "ago": "days_ago"}.get(window.data)
        if key is not None:
            self._mark(f"{path}/{key}", window)
        if key == "days_ago":
            return {key: [_days(window.children[1]), _days(window.children[3])]}
        if key is not None:
            return {key: _days(window.children[1])}
        keys = ("from", "to") if window.data == "since" else ("to",)
        moments = [part for part in window.children if isinstance(part, Tree)]
        made = {}
        for key, moment in zip(keys, moments, strict=False):
            self._mark(f"{path}/{key}", moment)
            made[key] = _value(moment.children[0])
        return made

    def _comparison(self, head: str, parts: Any, path: str) -> dict[str, Any]:
        name, operation = parts
        self._mark(f"{path}/{head}", name)
        self._mark(f"{path}/op", operation)
        made: dict[str, Any] = {head: _key(name.children[0])}
        op, value = self._operation(operation, f"{path}/value")
        return {**made, "op": op} if op in _WITHOUT_VALUE else {**made, "op": op, "value": value}

    def _operation(self, operation: Any, at: str) -> tuple[str, Any]:
        self._mark(at, operation)
        kind, parts = operation.data, operation.children
        if kind in {"last_days", "next_days"}:
            return f"within_{kind}", _days(parts[2])
        if kind in _WITHOUT_VALUE:
            return kind, None
        if kind in {"in_", "not_in"}:
            values = [part for part in parts[-1].children if isinstance(part, Tree)]
            for index, part in enumerate(values):
                self._mark(f"{at}/{index}", part)
            return kind.rstrip("_"), [_value(part.children[0]) for part in values]
        values = [part for part in parts if isinstance(part, Tree) and part.data == "value"]
        if kind == "between":
            for index, part in enumerate(values):
                self._mark(f"{at}/{index}", part)
            return "between", [_value(part.children[0]) for part in values]
        self._mark(at, values[0])
        return (_sign(parts[0]) if kind == "compared" else kind), _value(values[0].children[0])

    def _mark(self, path: str, part: Any) -> None:
        self.spans[path] = Span(part.meta.start_pos, part.meta.end_pos)


def _place(token: Any) -> Span:
    return Span(token.start_pos or 0, token.end_pos or 0)


def _sign(comparator: Any) -> str:
    text = str(comparator.children[0])
    return _SIGNS.get(text, text)


def _key(token: Any) -> str:
    return token[1:-1].replace("``", "`") if token.type == "QUOTED_NAME" else str(token)


def _within(token: Any) -> dict[str, int]:
    unit = {"SPAN": "days", "HOURS": "hours", "MINUTES": "minutes"}[token.type]
    return {unit: _days(token)}


def _days(token: Any) -> int:
    return int(re.match(r"\d+", token)[0])  # type: ignore[index]  # the terminal begins with digits


def _value(token: Any) -> Any:
    match token.type:
        case "STRING":
            if token.startswith("“"):
                return token[1:-1]
            try:
                return orjson.loads(token.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t"))
            except orjson.JSONDecodeError:
                message = _('After a backslash only " \\ / b f n r t u can follow.')
                raise BadText(TextProblem(_place(token), "bad_escape", message)) from None
        case "INT":
            return int(token)
        case "NUMBER":
            return float(token)
        case "TRUE":
            return True
        case "FALSE":
            return False
        case "INSTANT":
            return token.replace(" ", "T")
        case _:
            return str(token)
