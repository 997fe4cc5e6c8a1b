"""The people of an audience most likely to break a mail: nothing to print, far too much, or scripts nobody tried."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from hongyan.content.contexts import contexts
from hongyan.content.models import ContentVersion
from hongyan.content.preflight import empty_condition, printed
from hongyan.core.sql import SQL

EVERYONE = SQL("SELECT id FROM contacts_contact")
CANDIDATES = 40  # of each kind, opened and looked at
_LONG = 24


@dataclass(frozen=True, slots=True)
class RiskyContact:
    """reasons: empty, long, script, symbol; worst contacts first."""

    contact_id: int
    reasons: tuple[str, ...]


def riskiest(version: ContentVersion, members: SQL = EVERYONE, *, limit: int = 12) -> list[RiskyContact]:
    """System use: gives ids and reasons only, whoever shows the people decides what of them."""
    paths = printed(version)
    ids = _candidates(paths, members)
    found = contexts(ids, paths, language=version.language)
    scored = [(contact_id, _reasons(paths, found[contact_id])) for contact_id in ids if contact_id in found]
    scored = [(contact_id, reasons) for contact_id, reasons in scored if reasons]
    scored.sort(key=lambda entry: -len(entry[1]))
    chosen: list[RiskyContact] = []
    seen: dict[tuple[str, ...], int] = {}
    for contact_id, reasons in scored:  # a dozen of the same kind would teach nothing
        if seen.get(reasons, 0) < 4 and len(chosen) < limit:
            seen[reasons] = seen.get(reasons, 0) + 1
            chosen.append(RiskyContact(contact_id, reasons))
    return chosen


def _candidates(paths: list[str], members: SQL) -> list[int]:
    conditions = [condition for path in paths if (condition := empty_condition(path))]
    params = {**members.params, "candidates": CANDIDATES}
    for condition in conditions:
        params.update(condition.params)
    empties = " + ".join(f"({condition.text})::int" for condition in conditions) or "0"
    # The seal's length grows with what is in it: long values are found without opening a million of them.
    statement = f"""
        WITH people AS MATERIALIZED (
            SELECT c.id, {empties} AS empties, coalesce(octet_length(c.sealed), 0) AS size,
                   char_length(c.city) + char_length(c.region) AS place
            FROM contacts_contact c WHERE c.id IN ({members.text})
        )
        (SELECT id FROM people WHERE empties > 0 ORDER BY empties DESC, id LIMIT %(candidates)s)
        UNION (SELECT id FROM people ORDER BY size DESC, id LIMIT %(candidates)s)
        UNION (SELECT id FROM people ORDER BY place DESC, id LIMIT %(candidates)s)
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return [row[0] for row in cursor.fetchall()]


def _reasons(paths: list[str], context: Mapping[str, Any]) -> tuple[str, ...]:
    values = [str(value) for path in paths if (value := _value(context, path)) is not None]
    missing = any(_value(context, path) is None for path in paths if path.startswith("contact."))
    reasons = {"empty": missing, "long": any(len(value) > _LONG for value in values)}
    text = "".join(values)
    reasons["script"] = any(_rare(character) for character in text)
    reasons["symbol"] = any(character in "<>&\"'{}[]%$\\" or ord(character) > 0xFFFF for character in text)
    return tuple(name for name, true in reasons.items() if true)


def _value(context: Mapping[str, Any], path: str) -> Any:
    value: Any = context
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _rare(character: str) -> bool:
    """A letter that is neither plain Latin nor Han."""
    if not character.isalpha() or character.isascii():
        return False
    name = unicodedata.name(character, "")
    return not name.startswith(("CJK UNIFIED", "LATIN"))
