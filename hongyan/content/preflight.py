"""Empty values over a whole audience, counted by PostgreSQL from what stands beside the seal."""

from collections.abc import Sequence

from django.db import connection

from hongyan.contacts.models import FieldDefinition
from hongyan.content.catalogue import Catalogue, catalogue
from hongyan.content.models import ContentVersion
from hongyan.content.types import EmptyCount
from hongyan.core.sql import SQL

_CUSTOM = "contact.fields."
# Field → when it is empty, over ``contacts_contact c``. A field that is not here is never empty.
_EMPTY = {
    "contact.full_name": "NOT (c.filled && ARRAY['full_name', 'given_name', 'family_name'])",
    "contact.given_name": "NOT ('given_name' = ANY (c.filled))",
    "contact.family_name": "NOT ('family_name' = ANY (c.filled))",
    "contact.email": "NOT c.has_email",
    "contact.phone": "NOT c.has_phone",
    "contact.street": "NOT ('street' = ANY (c.filled))",
    "contact.postal_code": "NOT ('postal_code' = ANY (c.filled))",
    "contact.salutation": "c.sex NOT IN (1, 2)",
    "contact.city": "btrim(c.city) = ''",
    "contact.region": "btrim(c.region) = ''",
    "contact.country": "c.country = ''",
    "contact.country_name": "c.country = ''",
    "contact.language": "c.language = ''",
    "contact.birth_month": "c.birth_month IS NULL",
    "contact.birth_day": "c.birth_day IS NULL",
}


def empty_values(version: ContentVersion, members: SQL) -> list[EmptyCount]:
    """One entry for each field the mail prints that can be empty, also those nobody lacks. members: a statement that
    yields contact ids. One pass over the audience, however many fields."""
    known = catalogue()
    paths = [path for path in printed(version) if empty_condition(path) is not None]
    conditions = [condition for path in paths if (condition := empty_condition(path))]
    if not conditions:
        return []
    counts = ", ".join(f"count(*) FILTER (WHERE {condition.text})" for condition in conditions)
    params = dict(members.params)
    for condition in conditions:
        params.update(condition.params)
    statement = f"SELECT count(*), {counts} FROM contacts_contact c WHERE c.id IN ({members.text})"
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        row: Sequence[int] = cursor.fetchone() or ()
    return [
        EmptyCount(
            field=path,
            label=_label(path, known),
            empty=row[number],
            total=row[0],
            fallback=version.replaced.get(path) if path not in version.required else None,
        )
        for number, path in enumerate(paths, start=1)
    ]


def printed(version: ContentVersion) -> list[str]:
    return sorted({*version.required, *version.replaced})


def empty_condition(path: str) -> SQL | None:
    """When ``contacts_contact c`` has nothing in the field; None for what is never empty."""
    if path in _EMPTY:
        return SQL(_EMPTY[path])
    if not path.startswith(_CUSTOM):
        return None
    key = path.removeprefix(_CUSTOM)
    definition = FieldDefinition.objects.filter(key=key).first()
    if definition is None:
        return None
    name = f"field_{definition.pk}"
    if definition.sensitive:
        return SQL(f"NOT (%({name})s = ANY (c.filled))", {name: filled_key(key)})
    # NULL (no such key) must count as empty, and so must an empty list.
    return SQL(f"btrim(coalesce(c.attributes ->> %({name})s, '')) IN ('', '[]')", {name: key})


def filled_key(key: str) -> str:
    """How contacts note in ``filled`` that a sensitive custom field has a value."""
    return f"extra.{key}"


def _label(path: str, known: Catalogue) -> str:
    return str(known[path].label) if path in known else path
