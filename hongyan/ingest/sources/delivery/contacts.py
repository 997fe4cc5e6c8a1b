"""Contacts, by the import's own preparation of rows and the fast writer: the same rules for a file and for a source."""

from dataclasses import replace
from datetime import datetime

from django.db import connection

from hongyan.contacts import bulk
from hongyan.contacts.bulk_consent import Grant
from hongyan.contacts.bulk_rows import Outcome, RowMaker, RowOutcome, UpsertPolicy
from hongyan.contacts.models import Topic
from hongyan.core.crypto.keyring import keyring
from hongyan.ingest.files.types import Chunk, Position
from hongyan.ingest.memberships import Memberships
from hongyan.ingest.models_sources import Source
from hongyan.ingest.prepare import Plan, Preparer
from hongyan.ingest.runner import custom_fields
from hongyan.ingest.sources.reading.base import text
from hongyan.ingest.sources.types import Delivered, Failure, Record, Tally
from hongyan.ingest.types import ConsentChoice, Options


class ContactsDeliverer:
    def __init__(self, source: Source, at: datetime) -> None:
        options = Options.load(source.options)
        self._columns = [column for column, target in source.mapping.items() if target]
        self._options = options
        plan = Plan(
            targets=tuple(source.mapping[column] for column in self._columns),
            match_on=options.match_on,
            default_region=options.default_region,
            date_order=options.date_order,
            custom=custom_fields(),
            blind=keyring().blind,
            source=source.sealed_key,
            at=at,
        )
        self._preparer = Preparer(plan)
        self._maker = RowMaker(plan.blind, plan.source, at)
        self._grant = grant_of(options, source.sealed_key)
        self._memberships = Memberships(options.tags, options.lists, source.sealed_key)

    def deliver(self, records: list[Record]) -> Delivered:
        rows = [(place, [text(record.get(name)) for name in self._columns]) for place, record in enumerate(records)]
        prepared = self._preparer.chunk(Chunk(list(rows), Position(), Position()))
        outcomes = bulk.upsert(
            prepared.people,
            policy=UpsertPolicy(self._options.policy),
            match_on=self._options.match_on,
            maker=self._maker,
            connection=connection,
            consent=self._grant,
        )
        self._memberships.apply(outcomes, prepared.tags)
        done = Delivered(_tally(len(records), outcomes))
        for reject in prepared.rejects:
            place = "" if reject.column is None else self._columns[reject.column]
            done.failures.append(Failure(records[reject.line], reject.code, place))
        for item in outcomes:
            if item.outcome is Outcome.REJECTED:
                done.failures.append(Failure(records[item.ref], item.code))
        done.tally.quarantined = len(done.failures)
        return done


def grant_of(options: Options, label: str) -> Grant:
    """What is recorded about new people: the attested consent, or that they came without one."""
    terms = options.consent
    if terms.choice is not ConsentChoice.ATTESTED:
        return Grant((), "", label, "source")
    topics = tuple(Topic.objects.filter(key__in=terms.topics).order_by("id").values_list("id", flat=True))
    return replace(Grant(topics, "", label, terms.attested_by), wording=f"{terms.statement} [{terms.source}]")


def _tally(read: int, outcomes: list[RowOutcome]) -> Tally:
    kinds = [item.outcome for item in outcomes]
    changed = kinds.count(Outcome.UPDATED) + sum(
        item.outcome is Outcome.MERGED and bool(item.fields) for item in outcomes
    )
    return Tally(read=read, created=kinds.count(Outcome.CREATED), changed=changed)
