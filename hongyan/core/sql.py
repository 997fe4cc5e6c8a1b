"""Named statements in ``sql/*.sql`` files beside the room that uses them.

A file holds blocks: ``-- name: claim_due`` followed by the statement, up to the next name. Loaded once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from django.db.models.expressions import RawSQL


@dataclass(frozen=True, slots=True)
class SQL:
    """A statement with its bound values, as one room hands it to another.

    text: PostgreSQL with named placeholders, ``%(a0)s``; it can stand as a sub-select. params: their values. Names in
    audience statements are ``a`` and a number, so a caller may merge its own: ``{**members.params, "kind": …}``.
    """

    text: str
    params: Mapping[str, Any] = field(default_factory=dict)


def any_of(ids: Iterable[int]) -> RawSQL:
    """For ``filter(id__in=any_of(ids))``: one array parameter. A list becomes a placeholder for each id, and the driver
    takes longer to read those than PostgreSQL to find the rows (measured 200 against 20 microseconds a row)."""
    return RawSQL("SELECT unnest(%s::bigint[])", [numbers(ids)])


def numbers(values: Iterable[int]) -> str:
    """An array of numbers as PostgreSQL reads it from one text parameter; cast it (``::bigint[]``). The driver looks at
    every element of a list, which costs more than most statements do with it."""
    return "{" + ",".join(map(str, values)) + "}"


def texts(values: Iterable[str | None]) -> str:
    """The same for texts (without NUL), None for NULL: quoted, quotes and backslashes escaped."""
    return (
        "{"
        + ",".join(
            [
                "NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
                for value in values
            ]
        )
        + "}"
    )


@cache
def statements(package: str, file: str) -> dict[str, str]:
    """All statements of ``package``'s ``sql/file``, by name. Raises ValueError on a repeated or empty block."""
    text = files(package).joinpath("sql", file).read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for block in text.split("-- name:")[1:]:
        name, _, rest = block.partition("\n")
        name = name.strip()
        # Comment lines are for readers of the file: in them a % or {part} must not be taken for a parameter.
        body = "\n".join(line for line in rest.split("\n") if not line.lstrip().startswith("--"))
        if name in found or not body.strip():
            raise ValueError(f"{package}/sql/{file}: block {name!r} is repeated or empty")
        found[name] = body.strip()
    return found


def statement(package: str, file: str, name: str) -> str:
    return statements(package, file)[name]
