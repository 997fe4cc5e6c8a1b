"""Custom objects: each record is one thing of somebody, known by its own number."""

from datetime import datetime

from django.conf import settings

from hongyan.accounts.types import system_actor
from hongyan.contacts import normalise
from hongyan.contacts.errors import NormaliseProblem
from hongyan.contacts.identifiers import contact_id_of
from hongyan.contacts.objects import ObjectIn, objects_upsert
from hongyan.ingest.models_sources import Source
from hongyan.ingest.sources.delivery.base import Fields, Unfit, by_field
from hongyan.ingest.sources.reading.base import text
from hongyan.ingest.sources.types import Delivered, Failure, Record, Tally

FIELD = "field:"  # prefix of a field of the object
KEY_FIELDS = ("external_id", "email", "phone")


class ObjectsDeliverer:
    def __init__(self, source: Source, at: datetime) -> None:
        self._source, self._at = source, at
        self._columns = by_field(source.mapping)
        self._region = str(source.options.get("default_region") or "CN")
        self._fields = {
            column: field.removeprefix(FIELD) for column, field in source.mapping.items() if field.startswith(FIELD)
        }

    def deliver(self, records: list[Record]) -> Delivered:
        done = Delivered(Tally(read=len(records)))
        rows: list[ObjectIn] = []
        origins: list[Record] = []
        for record in records:
            try:
                rows.append(self._row(record))
            except Unfit as problem:
                done.failures.append(Failure(record, problem.code, problem.place))
            else:
                origins.append(record)
        outcomes = objects_upsert(
            actor=system_actor("source"),
            type_key=self._source.object_type,
            rows=rows,
            source=self._source.sealed_key,
            at=self._at,
            zone=settings.HONGYAN_TIME_ZONE,
        )
        columns = {key: column for column, key in self._fields.items()}
        for outcome, record in zip(outcomes, origins, strict=True):
            done.tally.created += outcome.act == "made"
            done.tally.changed += outcome.act == "changed"
            if outcome.act == "refused":
                field, code = next(iter(outcome.problems.items()), ("", "refused"))
                done.failures.append(Failure(record, code, columns.get(field, field)))
        done.tally.quarantined = len(done.failures)
        return done

    def _row(self, record: Record) -> ObjectIn:
        fields = Fields(record, self._columns)
        values = {key: text(record.get(column)) for column, key in self._fields.items()}
        return ObjectIn(
            fields.needed("object_id")[:120],
            self._contact(fields),
            {key: value for key, value in values.items() if value},
        )

    def _contact(self, fields: Fields) -> int | None:
        kind = next((kind for kind in KEY_FIELDS if fields.text(kind)), None)
        if kind is None:
            return None
        raw = fields.text(kind)
        try:
            if kind == "email":
                value = normalise.email(raw)
            elif kind == "phone":
                value = normalise.phone(raw, region=self._region)
            else:
                value = raw
        except NormaliseProblem as problem:
            raise Unfit(problem.code, fields.column(kind)) from problem
        found = contact_id_of(kind, value)
        if found is None:
            raise Unfit("contact_unknown", fields.column(kind))
        return found
