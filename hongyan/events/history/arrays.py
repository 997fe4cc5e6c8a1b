"""From event rows to one row a contact with sorted arrays, and back. Pure: tables in, tables out."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from hongyan.events.history.types import KINDS, Held, column

# What a number may have to stand in a file: 38 digits are the widest decimal of every engine. Whoever has a number
# beyond is answered from PostgreSQL as a whole (``Grouped.odd``).
MOST_DIGITS, MOST_SCALE = 20, 18
ORDER = [("contact_id", "ascending"), ("at_us", "ascending"), ("event_id", "ascending")]
_TYPES = {"s": pa.string(), "b": pa.bool_(), "o": pa.bool_()}


def value_column(key: str) -> str:
    """Column of event rows with a property as JSON text, as PostgreSQL writes jsonb; null when it is absent."""
    return f"v:{key}"


@dataclass(frozen=True, slots=True)
class Grouped:
    """rows: the schema of files. odd: contacts that have a number no file can hold exactly; they are not in rows."""

    rows: pa.Table
    held: Mapping[str, Held]
    odd: tuple[int, ...] = ()

    @property
    def events(self) -> int:
        return int(pc.sum(self.rows["n"]).as_py() or 0)


def group(events: pa.Table, keys: Sequence[str], *, ordered: bool = False) -> Grouped:
    """events: ``contact_id``, ``at_us``, ``event_id`` and ``value_column(key)`` of every key. ordered: it already is by
    these three."""
    if not ordered and events.num_rows > 1:
        events = events.sort_by(ORDER)
    split = {key: Typed.of(_whole(events[value_column(key)])) for key in keys}
    odd = _odd(events, split)
    if odd:
        kept = pc.invert(pc.is_in(events["contact_id"], pa.array(odd, pa.int64())))
        return Grouped(*_grouped(events.filter(kept), keys), odd=odd)
    return Grouped(*_fold(events, split))


def _grouped(events: pa.Table, keys: Sequence[str]) -> tuple[pa.Table, dict[str, Held]]:
    return _fold(events, {key: Typed.of(_whole(events[value_column(key)])) for key in keys})


def _odd(events: pa.Table, split: Mapping[str, "Typed"]) -> tuple[int, ...]:
    found: set[int] = set()
    for typed in split.values():
        if typed.odd is not None:
            found.update(events["contact_id"].filter(typed.odd).to_pylist())
    return tuple(sorted(found))


def _fold(events: pa.Table, split: Mapping[str, "Typed"]) -> tuple[pa.Table, dict[str, Held]]:
    contacts, times = _whole(events["contact_id"]), _whole(events["at_us"])
    offsets = _offsets(contacts)
    starts = offsets.slice(0, len(offsets) - 1)
    ends = offsets.slice(1)
    columns: dict[str, pa.Array] = {
        "contact_id": contacts.take(starts),
        "n": pc.subtract(ends, starts),
        "first": times.take(starts),
        "last": times.take(pc.subtract(ends, 1)),
        "times": pa.ListArray.from_arrays(offsets, times),
        "ids": pa.ListArray.from_arrays(offsets, _whole(events["event_id"])),
    }
    held: dict[str, Held] = {}
    for key, typed in split.items():
        for kind, values in typed.columns.items():
            columns[column(kind, key)] = pa.ListArray.from_arrays(offsets, values)
        number = typed.columns.get("n")
        precision, scale = (number.type.precision, number.type.scale) if number is not None else (0, 0)
        held[key] = Held("".join(kind for kind in KINDS if kind in typed.columns), precision, scale)
    return pa.table(columns), held


def _offsets(contacts: pa.Array) -> pa.Array:
    """Where each contact's run begins, and the end."""
    if not len(contacts):
        return pa.array([0], pa.int32())
    changes = pc.indices_nonzero(pc.not_equal(contacts.slice(1), contacts.slice(0, len(contacts) - 1)))
    inner = pc.add(changes.cast(pa.int32()), pa.scalar(1, pa.int32()))
    return pa.concat_arrays([pa.array([0], pa.int32()), inner, pa.array([len(contacts)], pa.int32())])


@dataclass(frozen=True, slots=True)
class Typed:
    """A property parted by the kind of its values; every array as long as the events. odd: where no file can hold the
    number."""

    columns: Mapping[str, pa.Array]
    odd: pa.Array | None = None

    @staticmethod
    def of(texts: pa.Array) -> "Typed":
        """
        >>> found = Typed.of(pa.array(['"a"', "1.50", "true", '{"b": 1}', "null", None]))
        >>> {kind: values.to_pylist()[:4] for kind, values in found.columns.items() if kind != "n"}
        {'s': ['a', None, None, None], 'b': [None, None, True, None], 'o': [None, None, None, True]}
        >>> found.columns["n"].type, str(found.columns["n"][1])
        (Decimal128Type(decimal128(9, 1)), '1.5')
        """
        if texts.null_count == len(texts):
            return Typed({})
        first = pc.utf8_slice_codeunits(texts, 0, 1)
        kinds = pc.value_counts(first).to_pylist()
        there = {entry["values"] for entry in kinds} - {None}
        columns: dict[str, pa.Array] = {}
        odd: pa.Array | None = None
        if '"' in there:
            columns["s"] = _strings(_where(pc.equal(first, '"'), texts))
        if there - set('"tfn{['):
            columns["n"], odd = _numbers(_where(pc.is_in(first, pa.array(list("-0123456789"))), texts))
        if there & {"t", "f"}:
            columns["b"] = _where(pc.is_in(first, pa.array(["t", "f"])), pc.equal(texts, "true"))
        if there & {"{", "["}:
            other = pc.is_in(first, pa.array(["{", "["]))
            columns["o"] = _where(other, other)
        return Typed({kind: columns[kind] for kind in KINDS if kind in columns}, odd)


def _where(mask: pa.Array, values: pa.Array) -> pa.Array:
    """The values where the mask says so (NULL says no), else null."""
    return pc.if_else(mask, values, pa.scalar(None, values.type))


def _strings(texts: pa.Array) -> pa.Array:
    plain = pc.utf8_slice_codeunits(texts, 1, -1)
    escaped = pc.match_substring(texts, "\\")
    if not pc.any(escaped).as_py():
        return plain
    mask = pc.fill_null(escaped, fill_value=False)
    return pc.replace_with_mask(plain, mask, pa.array([json.loads(text) for text in texts.filter(mask).to_pylist()]))


def _numbers(texts: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    """As decimals of the narrowest width there is for all of them, and where a number is beyond every width."""
    dot = pc.find_substring(texts, ".")
    fraction = pc.greater_equal(dot, 0)
    if pc.any(fraction).as_py():
        # Zeros at the end say nothing about the value; taken off only behind a point.
        texts = pc.if_else(fraction, pc.utf8_rtrim(pc.utf8_rtrim(texts, "0"), "."), texts)
        whole = pc.if_else(fraction, dot, pc.utf8_length(texts))
        scale = pc.if_else(fraction, pc.max_element_wise(pc.subtract(pc.utf8_length(texts), pc.add(dot, 1)), 0), 0)
    else:
        whole, scale = pc.utf8_length(texts), pc.multiply(dot, 0)
    digits = pc.subtract(whole, pc.starts_with(texts, "-").cast(pa.int32()))
    odd = pc.fill_null(pc.or_(pc.greater(digits, MOST_DIGITS), pc.greater(scale, MOST_SCALE)), fill_value=False)
    if pc.any(odd).as_py():
        return pc.if_else(odd, None, texts).cast(pa.decimal128(38, MOST_SCALE)), odd
    widest, finest = int(pc.max(digits).as_py() or 1), int(pc.max(scale).as_py() or 0)
    precision = next(width for width in (9, 18, 38) if widest + finest <= width)
    return texts.cast(pa.decimal128(precision, finest)), None


def flatten(rows: pa.Table, keys: Iterable[str], held: Mapping[str, Held]) -> pa.Table:
    """Event rows of a file: ``contact_id``, ``at_us``, ``event_id`` and the columns of the keys, one value an event."""
    times, ids = _whole(rows["times"]), _whole(rows["ids"])
    flat: dict[str, pa.Array] = {
        "contact_id": _whole(rows["contact_id"]).take(pc.list_parent_indices(times)),
        "at_us": pc.list_flatten(times),
        "event_id": pc.list_flatten(ids),
    }
    for key in keys:
        for kind in held[key].kinds:
            flat[column(kind, key)] = pc.list_flatten(_whole(rows[column(kind, key)]))
    return pa.table(flat)


def join(parts: Sequence[tuple[pa.Table, Mapping[str, Held]]], keys: Sequence[str]) -> Grouped:
    """Several files' rows as one. keys: what the result holds; every part must hold them."""
    flat = [flatten(rows, keys, held) for rows, held in parts]
    events = pa.concat_tables(flat, promote_options="permissive").sort_by(ORDER)
    split: dict[str, Typed] = {}
    for key in keys:
        kinds = {kind for _, held in parts for kind in held[key].kinds}
        split[key] = Typed({kind: _whole(events[column(kind, key)]) for kind in KINDS if kind in kinds})
    return Grouped(*_fold(events, split))


def of_tail(tail: pa.Table, name: str, keys: Sequence[str]) -> Grouped:
    """One event name of a snapshot's tail in the schema of files."""
    return group(tail.filter(pc.equal(tail["name"], name)), keys)


def _whole(values: pa.ChunkedArray) -> pa.Array:
    found = values.combine_chunks()
    return found if isinstance(found, pa.Array) else pa.concat_arrays(found.chunks)
