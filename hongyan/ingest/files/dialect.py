"""Guessing delimiter and header of a delimited file from its first records."""

import csv
import re
from collections import Counter

from hongyan.ingest.files.encoding import WIDE, bom_length, detect
from hongyan.ingest.files.types import Dialect

DELIMITERS = (",", "\t", ";", "|")
_LINE_END = re.compile(r"\r\n|\r|\n")
_SEP_LINE = re.compile(r"^sep=(.)\s*$", re.IGNORECASE)
_VALUE_LIKE = re.compile(r"^(\S+@\S+\.\S+|\+?[\d\s().-]{7,}|\d{4}[-/]\d{1,2}[-/]\d{1,2})$")


def guess(sample: bytes, *, encoding: str | None = None, delimiter: str | None = None) -> Dialect:
    """encoding, delimiter: the user's choices, which win."""
    name = encoding or detect(sample)
    text = sample_text(sample, name)
    lines = _LINE_END.split(text)
    first = lines[0] if lines else ""
    announced = _SEP_LINE.match(first)
    if announced:
        lines = lines[1:]
    chosen = delimiter or (announced.group(1) if announced else best_delimiter(lines))
    rows = _rows(lines[:20], chosen)
    return Dialect(
        encoding=name,
        delimiter=chosen,
        has_header=not rows or not looks_like_values(rows[0]),
        skip_lines=1 if announced else 0,
    )


def sample_text(sample: bytes, name: str) -> str:
    body = sample[bom_length(sample) :]
    if name in WIDE:
        body = body[: len(body) - len(body) % 4]
    return body.decode(name, "replace")


def best_delimiter(lines: list[str]) -> str:
    """The delimiter that cuts most lines into the same number (> 1) of cells; comma when none does."""
    found = max((_consistency(lines[:100], delimiter), -rank) for rank, delimiter in enumerate(DELIMITERS))
    return DELIMITERS[-found[1]] if found[0] > 0 else ","


def looks_like_values(cells: list[str]) -> bool:
    """A first row that holds an address, a phone number or a date is data, not a header."""
    return any(_VALUE_LIKE.match(cell.strip()) for cell in cells)


def _consistency(lines: list[str], delimiter: str) -> float:
    counts = Counter(len(row) for row in _rows(lines, delimiter) if any(cell.strip() for cell in row))
    if not counts:
        return 0.0
    width, how_many = max(counts.items(), key=lambda item: (item[1], item[0]))
    if width < 2:
        return 0.0
    return how_many / counts.total() * (2 - 1 / width)  # agreement first, width breaks ties


def _rows(lines: list[str], delimiter: str) -> list[list[str]]:
    try:
        return [row for row in csv.reader((line + "\n" for line in lines), delimiter=delimiter) if row]
    except csv.Error:
        return []
