"""What the catalogue is made of, read from the database in one question."""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

from hongyan.commerce.models import CommerceSettings
from hongyan.core.sql import statement

_TREES = "audience"  # read as the model reads them: numbers of any length


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """By key and in the order people gave. properties: (event, what the tracking plan says). rules: definitions of
    where people stand, by kind. fields, objects: custom ones in use. currency: the organisation's."""

    events: list[str]
    properties: list[tuple[str, dict[str, Any]]]
    topics: dict[str, dict[str, Any]]
    rules: dict[str, Any]
    fields: dict[str, dict[str, Any]]
    objects: dict[str, dict[str, Any]]
    groups: dict[str, dict[str, Any]]
    tags: dict[str, dict[str, Any]]
    lists: dict[str, dict[str, Any]]
    audiences: dict[str, dict[str, Any]]
    currency: str

    @classmethod
    def now(cls) -> "Vocabulary":
        found: defaultdict[str, list[tuple[str, Any]]] = defaultdict(list)
        with connection.cursor() as cursor:
            cursor.execute(statement("hongyan.audience", "reads.sql", "vocabulary"))
            for kind, name, said in cursor.fetchall():
                found[kind].append((name, json.loads(said) if kind == _TREES else orjson.loads(said)))
        return cls(
            events=[name for name, _ in found["event"]],
            properties=found["property"],
            topics=dict(found["topic"]),
            rules=dict(found["rules"]),
            fields=dict(found["field"]),
            objects=dict(found["object"]),
            groups=dict(found["group"]),
            tags=dict(found["tag"]),
            lists=dict(found["list"]),
            audiences=dict(found[_TREES]),
            currency=found["currency"][0][0] if found["currency"] else CommerceSettings().currency,
        )
