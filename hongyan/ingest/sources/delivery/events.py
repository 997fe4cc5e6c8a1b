"""Events about people: each record names somebody, says what happened and when, and keeps the rest as properties."""

import hashlib
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from hongyan.contacts import bulk, normalise
from hongyan.contacts.bulk_rows import KINDS, Outcome, RowMaker, UpsertPolicy
from hongyan.contacts.errors import NormaliseProblem
from hongyan.core.crypto.keyring import keyring
from hongyan.events.names import canonical
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from hongyan.ingest.models_sources import Source
from hongyan.ingest.sources.delivery.base import Fields, Unfit, by_field
from hongyan.ingest.sources.delivery.contacts import grant_of
from hongyan.ingest.sources.types import Delivered, Failure, Record, Tally
from hongyan.ingest.types import Options

PROPERTY = "property"  # prefix of a field: property:name
KEY_FIELDS = ("external_id", "email", "phone")


class EventsDeliverer:
    def __init__(self, source: Source, at: datetime) -> None:
        options = source.options
        self._source = source.sealed_key
        self._name = str(options.get("event_name") or "")
        self._region = str(options.get("default_region") or "CN")
        self._columns = by_field(source.mapping)
        self._properties = {
            column: field.removeprefix(PROPERTY + ":")
            for column, field in source.mapping.items()
            if field.startswith(PROPERTY + ":")
        }
        self._key = next((kind for kind in KEY_FIELDS if kind in self._columns), "email")
        self._maker = RowMaker(keyring().blind, self._source, at)
        self._at = at
        self._grant = grant_of(Options.load({}), self._source)

    def deliver(self, records: list[Record]) -> Delivered:
        done = Delivered(Tally(read=len(records)))
        events: dict[int, NewEvent] = {}
        rows = []
        for place, record in enumerate(records):
            fields = Fields(record, self._columns)
            try:
                events[place] = self._event(record, fields)
                identity = self._person(fields)
            except Unfit as problem:
                done.failures.append(Failure(record, problem.code, problem.place))
                continue
            rows.append(self._maker.contact_row(ref=place, identity=identity, plain={}, attributes={}))
        outcomes = bulk.upsert(
            rows,
            policy=UpsertPolicy.SKIP,  # an event never changes what is known about a person
            match_on=self._key,
            maker=self._maker,
            connection=connection,
            consent=self._grant,
        )
        facts = []
        for item in outcomes:
            if item.outcome is Outcome.REJECTED:
                done.failures.append(Failure(records[item.ref], item.code))
            else:
                event = events[item.ref]
                facts.append(
                    NewEvent(
                        item.contact_id, event.name, event.occurred_at, event.source, event.properties, event.dedupe_key
                    )
                )
        done.tally.created = append(facts)
        done.tally.quarantined = len(done.failures)
        return done

    def _event(self, record: Record, fields: Fields) -> NewEvent:
        name = canonical(fields.text("name") or self._name)
        if not name:
            raise Unfit("field_missing", fields.column("name") or "name")
        at = fields.moment("occurred_at")
        if at is None:
            raise Unfit("field_missing", fields.column("occurred_at") or "occurred_at")
        properties: dict[str, Any] = {}
        for column, key in self._properties.items():
            value = record.get(column)
            if value is not None and value != "":
                properties[key] = value if isinstance(value, (str, int, float, bool)) else str(value)
        return NewEvent(None, name, at, self._source, properties, fields.text("message_id") or digest_of(record))

    def _person(self, fields: Fields) -> dict[str, Any]:
        raw = fields.needed(self._key)
        try:
            if self._key == "email":
                return {"email": normalise.email(raw)}
            if self._key == "phone":
                return {"phone": normalise.phone(raw, region=self._region)}
            return {"external_id": normalise.line(raw, limit=120)}
        except NormaliseProblem as problem:
            raise Unfit(problem.code, fields.column(self._key)) from problem


def digest_of(record: Record) -> str:
    """The same record is the same fact."""
    return hashlib.sha256(orjson.dumps(record, default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


assert set(KEY_FIELDS) == set(KINDS)  # noqa: S101 - both name the keys of a contact
