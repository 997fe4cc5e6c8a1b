"""Running this room's statements."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection, transaction

from hongyan.core.sql import SQL, statement

# Wide enough for the planner to hash the sets of a condition at a million contacts instead of spilling or looping.
WORK_MEM = "256MB"
PARAMETER = re.compile(r"%\((\w+)\)s")  # the name of a bound value in a statement
SPAN = 20_000  # ids per batch of a bulk act: about a fifth of a second of work between two looks at "cancel"


def run(name: str, **values: Any) -> int:
    """A writing statement of tags.sql; rows written by its last step."""
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.audience", "tags.sql", name), values)
        return int(cursor.rowcount)


def scalar(name: str, **values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.audience", "tags.sql", name), values)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def query(text: str, params: Any) -> list[tuple[Any, ...]]:
    """A reading statement that may hash large sets."""
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        # One journey: values are put in on this side, so two statements may go together.
        cursor.execute(f"SET LOCAL work_mem = '{WORK_MEM}'; {text}", params)
        cursor.nextset()
        return list(cursor.fetchall())


def spans(members: SQL, *, after: int = 0) -> Iterator[tuple[int, Sequence[int]]]:
    """Members in ranges of ids: (last id of the range, ids). The range narrows the scan itself, so all ranges together
    cost about as much as one full evaluation."""
    last = query("SELECT coalesce(max(id), 0) FROM contacts_contact", {})[0][0]
    while after < last:
        upto = after + SPAN
        text = f"SELECT id FROM ({members.text}) members WHERE id > %(after)s AND id <= %(upto)s ORDER BY id"
        rows = query(text, {**members.params, "after": after, "upto": upto})
        yield upto, [row[0] for row in rows]
        after = upto
