"""A raw row becomes a contact row or a rejection. Pure: no database, so that it can run in worker processes.

Most columns repeat (places, languages, birthdays, postal codes): a value is normalised once, see ``_Column.known``.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from hongyan.contacts import normalise
from hongyan.contacts.bulk_rows import KINDS, ContactRowIn, RowMaker
from hongyan.contacts.errors import NormaliseProblem
from hongyan.core.crypto.blind import BlindIndexer
from hongyan.ingest.files.types import Chunk, RowFault
from hongyan.ingest.mapping import CUSTOM, EVERY_ROW
from hongyan.ingest.neutral import restore
from hongyan.ingest.types import Reject

_CACHED, _CACHED_ALL = 20_000, 200_000  # values remembered: a column, all columns together
_CACHED_CHARS = 64  # longer values do not repeat
# contacts.types.LIMITS, which cannot be imported here: it needs the database models. A test holds the two together.
TEXT_LIMITS = {
    "given_name": 120,
    "family_name": 120,
    "full_name": 200,
    "street": 300,
    "postal_code": 20,
    "notes": 4000,
    "company": 200,
    "external_id": 120,
    "region": 120,
    "city": 120,
}
_TAG_SEPARATORS = str.maketrans("，、；;|", ",,,,,")
_IDENTITY = frozenset({"email", "phone", "birth_date", *TEXT_LIMITS} - {"region", "city"})
_PLAIN = frozenset({"sex", "country", "region", "city", "language", "time_zone"})
_UNIQUE = frozenset({"email", "phone", "external_id", "street"})  # remembering these would bring nothing
NAMES = frozenset({"full_name", "family_name", "given_name"})


@dataclass(frozen=True, slots=True)
class CustomField:
    key: str
    type: str
    sensitive: bool
    options: tuple[tuple[str, tuple[str, ...]], ...] = ()  # value, its labels


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a preparing process must know. source, at: provenance of the values."""

    targets: tuple[str, ...]
    match_on: str
    default_region: str
    date_order: str
    custom: tuple[CustomField, ...]
    blind: BlindIndexer
    source: str
    at: datetime
    kept: tuple[int, ...] = ()  # places of cells that are handed back as they are

    @property
    def every_row(self) -> bool:
        """Each row becomes a contact: without a key of its own, and without the cells that cannot be read."""
        return self.match_on == EVERY_ROW


@dataclass(slots=True)
class PreparedChunk:
    """tags: names found in a tag column, by the row's line. people: rows ready for ``contacts.bulk``."""

    chunk: Chunk
    people: list[ContactRowIn] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    tags: dict[int, tuple[str, ...]] = field(default_factory=dict)
    origins: dict[int, tuple[str, bytes]] = field(default_factory=dict)  # the row's own id, and what names the row
    left_out: int = 0
    kept: dict[int, tuple[str, ...]] = field(default_factory=dict)  # cells of ``Plan.kept``, by the row's line


class _Column(NamedTuple):
    """known: what cells that were seen before came to: a value, None where they say nothing, or their problem."""

    place: int
    target: str
    read: Callable[[str], Any]
    bin: int  # place in ``_BINS``
    known: dict[str, Any]
    room: int  # for so many in ``known``

    def first_seen(self, cell: str) -> Any:
        try:
            value = None if cell.isspace() else self.read(cell)
        except NormaliseProblem as problem:
            value = NormaliseProblem(problem.code)  # without its traceback
        if value == "":
            value = None
        if len(self.known) < self.room and len(cell) <= _CACHED_CHARS:
            self.known[cell] = value
        return value


_BINS = ("identity", "plain", "attributes", "extra", "other")
_UNSEEN = object()


class Preparer:
    def __init__(self, plan: Plan) -> None:
        self._maker = RowMaker(plan.blind, plan.source, plan.at)
        self._columns = columns_of(plan)
        self._kept = plan.kept
        self._every_row = plan.every_row
        self._key = 0 if plan.every_row else KINDS.index(plan.match_on)
        self._origins = plan.every_row or "row_id" in plan.targets
        self._blind = plan.blind
        self._named = [item.place for item in self._columns if item.target in NAMES]

    def chunk(self, chunk: Chunk) -> PreparedChunk:
        """The rows themselves are not sent back: only what became of them."""
        done = PreparedChunk(Chunk([], chunk.start, chunk.end, chunk.blank, last=chunk.last))
        for line, cells in chunk.rows:
            if isinstance(cells, RowFault):
                value = cells.value if cells.offset is None else f"{cells.value} (byte {cells.offset})"
                done.rejects.append(Reject(line, cells.column, cells.code.value, value))
                continue
            self._row(line, cells, done)
            if self._kept:
                done.kept[line] = tuple([cells[place] for place in self._kept])
        return done

    def _row(self, line: int, cells: list[str], done: PreparedChunk) -> None:
        identity: dict[str, Any] = {}
        plain: dict[str, Any] = {}
        attributes: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        other: dict[str, Any] = {}
        refused = self._read(cells, (identity, plain, attributes, extra, other), done)
        if refused is not None:
            place, code = refused
            done.rejects.append(Reject(line, place, code, cells[place][:500]))
            return
        if extra:
            identity["extra"] = extra
        if self._named:
            try:
                complete_name(identity)
            except NormaliseProblem as problem:
                if not self._every_row:
                    done.rejects.append(Reject(line, self._named[0], problem.code, cells[self._named[0]][:500]))
                    return
                done.left_out += 1
        if "street_number" in other or "street_2" in other:
            identity["street"] = street_line(identity.get("street", ""), other)
        row = self._maker.contact_row(ref=line, identity=identity, plain=plain, attributes=attributes)
        if self._origins:
            named = other.get("row_id") or ""
            done.origins[line] = (
                named,
                self._blind.index("row", f"{named or line}\x00{row.identity!r}\x00{row.plain!r}"),
            )
        if row.blinds[self._key] is None and not self._every_row:
            done.rejects.append(Reject(line, None, "key_missing", ""))
            return
        done.people.append(row)
        if tags := other.get("tags"):
            done.tags[line] = tags

    def _read(self, cells: list[str], bins: tuple[dict[str, Any], ...], done: PreparedChunk) -> tuple[int, str] | None:
        """Values into ``bins``, in the order of ``_BINS``. The first cell that is refused, and why."""
        for column in self._columns:
            place, target, _, group, known, _ = column
            cell = cells[place]
            if not cell:
                continue
            value = known.get(cell, _UNSEEN)
            if value is _UNSEEN:
                value = column.first_seen(cell)
            if value is None:
                continue
            if value.__class__ is NormaliseProblem:
                if self._every_row:
                    done.left_out += 1
                    continue
                return place, value.code
            bins[group][target] = value
        return None


def complete_name(identity: dict[str, Any]) -> None:
    """Fill in the parts or the whole of a name that the file does not have; placeholders count as no name."""
    identity.update(
        _name_parts(identity.pop("full_name", ""), identity.pop("family_name", ""), identity.pop("given_name", ""))
    )


def street_line(street: str, parts: Mapping[str, str]) -> str:
    """One line of what the file has in several columns: 8 Stanley Street, Miami, or 建国路88号."""
    number, second = parts.get("street_number", ""), parts.get("street_2", "")
    together = street + number if street and not street.isascii() else " ".join(filter(None, (number, street)))
    return ", ".join(filter(None, (together, second)))[: TEXT_LIMITS["street"]]


@lru_cache(maxsize=32_768)
def _name_parts(full: str, family: str, given: str) -> tuple[tuple[str, str], ...]:
    """Names come again and again in a large file."""
    name = normalise.name(full=full, family=family, given=given)
    parts = (("full_name", name.full_name), ("family_name", name.family_name), ("given_name", name.given_name))
    return tuple((key, part) for key, part in parts if part)


def columns_of(plan: Plan) -> tuple[_Column, ...]:
    custom = {CUSTOM + item.key: item for item in plan.custom}
    used = [(place, target) for place, target in enumerate(plan.targets) if target]
    room = min(_CACHED, _CACHED_ALL // max(1, len(used)))
    found = []
    for place, target in used:
        definition = custom.get(target)
        if definition is not None:
            key, group = definition.key, "extra" if definition.sensitive else "attributes"
            reader = custom_reader(definition, plan)
        else:
            key, reader = target, reader_of(target, plan)
            group = "identity" if target in _IDENTITY else "plain" if target in _PLAIN else "other"
        limit = 0 if target in _UNIQUE else room
        found.append(_Column(place, key, reader, _BINS.index(group), {}, limit))
    return tuple(found)


def reader_of(target: str, plan: Plan) -> Callable[[str], Any]:
    """From the text of a cell to the value of a standard field. Raises NormaliseProblem."""
    order = date_order(plan.date_order)
    region = plan.default_region
    readers: dict[str, Callable[[str], Any]] = {
        "email": lambda text: normalise.email(restore(text)),
        "phone": lambda text: normalise.phone(restore(text), region=region),
        "sex": normalise.sex,
        "birth_date": lambda text: _birthday(text, order),
        "country": normalise.country,
        "language": normalise.language,
        "time_zone": normalise.time_zone,
        "tags": _tags,
        "notes": lambda text: normalise.paragraph(restore(text), limit=TEXT_LIMITS["notes"]),
    }
    if target in NAMES:  # tidied as a whole by ``complete_name``
        return restore
    limit = TEXT_LIMITS.get(target, 500)
    return readers.get(target) or (lambda text: normalise.line(restore(text), limit=limit))


def date_order(chosen: str) -> normalise.DateOrder | None:
    """Year first is unambiguous and needs no choice."""
    return None if chosen == normalise.DateOrder.YMD else normalise.DateOrder(chosen)


def _birthday(text: str, order: normalise.DateOrder | None) -> str:
    """Sheets write dates with an empty time of day."""
    return normalise.date(text.strip().removesuffix(" 00:00:00"), order=order).isoformat()


def _tags(text: str) -> tuple[str, ...]:
    plain = restore(text)
    # Mailchimp quotes each name within the cell: "VIP","Tea, green"
    parts = next(csv.reader([plain]), []) if plain.startswith('"') else plain.translate(_TAG_SEPARATORS).split(",")
    found = (part.strip() for part in parts)
    return tuple(dict.fromkeys(part[:80] for part in found if part))


def custom_reader(item: CustomField, plan: Plan) -> Callable[[str], Any]:
    order = date_order(plan.date_order)
    choices = item.options
    readers: dict[str, Callable[[str], Any]] = {
        "number": _number,
        "boolean": normalise.boolean,
        "date": lambda text: _birthday(text, order),
        "datetime": lambda text: normalise.moment(text, order=order).isoformat(),
        "choice": lambda text: normalise.choice(text, choices),
        "choices": lambda text: [normalise.choice(part, choices) for part in _tags(text)],
        "url": normalise.url,
    }
    read = readers.get(item.type) or (lambda text: normalise.line(restore(text)))
    return (lambda text: _as_text(read(text))) if item.sensitive else read


def _number(text: str) -> int | float:
    value = normalise.number(restore(text))
    return int(value) if value == value.to_integral_value() else float(value)


def _as_text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
