"""Writing what an export says about its people's consent, a chunk at a time, in the chunk's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from hongyan.accounts.types import system_actor
from hongyan.audience.lists import add_to_list
from hongyan.audience.models import ContactList
from hongyan.contacts.bulk_rows import Outcome, RowOutcome
from hongyan.contacts.consent import consent_record, unsubscribe
from hongyan.contacts.errors import InvalidValues
from hongyan.contacts.models import ConsentState, FieldDefinition, Identifier, Suppression
from hongyan.contacts.services import contact_fill
from hongyan.contacts.suppression import suppress_blind
from hongyan.contacts.types import Channel, ConsentAction, Evidence, SuppressionReason
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from hongyan.ingest import headers
from hongyan.ingest.mapping import CUSTOM
from hongyan.ingest.migrating.recognise import Recipe
from hongyan.ingest.migrating.standing import ORDER, Stand, Standing, standing_of
from hongyan.ingest.types import ConsentTerms

METHOD = "migration"
MAX_LISTS = 200
_TAKEN = frozenset({Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.MERGED, Outcome.SKIPPED})
_REASONS = {
    Stand.WITHDRAWN: SuppressionReason.UNSUBSCRIBED,
    Stand.COMPLAINED: SuppressionReason.COMPLAINED,
    Stand.BOUNCED: SuppressionReason.HARD_BOUNCE,
}


@dataclass(frozen=True, slots=True)
class _Person:
    contact_id: int
    standing: Standing
    new: bool


class Migration:
    """recipe: of the import. terms: topics that consent there stands for here, and who declared it. label: of the
    import, under which records and events name it. at: when the import began."""

    def __init__(self, recipe: Recipe, terms: ConsentTerms, label: str, at: datetime) -> None:
        self._recipe, self._terms, self._label, self._at = recipe, terms, label, at
        self._roles = list(recipe.roles)
        self._lists: dict[str, int] = {}
        self._actor = system_actor(f"migration: {recipe.origin}, {terms.attested_by}"[:120])

    @property
    def columns(self) -> tuple[int, ...]:
        """Places of the columns whose cells are needed, in the order ``apply`` expects them."""
        return tuple(self._recipe.roles[role] for role in self._roles)

    def count(self, outcomes: Sequence[RowOutcome], kept: Mapping[int, tuple[str, ...]]) -> dict[str, int]:
        """How many people stand how; nothing is written."""
        counts: dict[str, int] = {}
        for person in self._people(outcomes, kept):
            counts[person.standing.stand.value] = counts.get(person.standing.stand.value, 0) + 1
        return counts

    def apply(self, outcomes: Sequence[RowOutcome], kept: Mapping[int, tuple[str, ...]]) -> dict[str, int]:
        people = self._people(outcomes, kept)
        before = self._states([person.contact_id for person in people if not person.new])
        held = self._suppressed([person.contact_id for person in people])
        counts: dict[str, int] = {}
        for person in people:
            done = self._one(person, before.get(person.contact_id, {}), suppressed=person.contact_id in held)
            counts[done] = counts.get(done, 0) + 1
        self._join_lists(people)
        self._fill(people)
        self._tell(people)
        return counts

    def _people(self, outcomes: Sequence[RowOutcome], kept: Mapping[int, tuple[str, ...]]) -> list[_Person]:
        """Each person once, with the worst of what their rows say."""
        found: dict[int | str, _Person] = {}
        for item in outcomes:
            if item.outcome not in _TAKEN or item.ref not in kept:
                continue
            standing = standing_of(self._recipe, dict(zip(self._roles, kept[item.ref], strict=True)))
            key = item.contact_id if item.contact_id is not None else f"row {item.ref}"
            present = found.get(key)
            if present is not None and ORDER.index(present.standing.stand) >= ORDER.index(standing.stand):
                continue
            new = item.outcome is Outcome.CREATED or (present is not None and present.new)
            found[key] = _Person(item.contact_id or 0, standing, new)
        return list(found.values())

    def _one(self, person: _Person, states: Mapping[str | None, tuple[str, datetime]], *, suppressed: bool) -> str:
        stand = person.standing.stand
        if stand in _REASONS:
            if stand is not Stand.BOUNCED and self._agreed_later(person.standing, states):
                return "newer"
            self._refuse(person)
        elif stand is Stand.GIVEN:
            return self._agree(person, states, ConsentAction.GIVEN, suppressed=suppressed)
        elif stand is Stand.PENDING:
            return self._agree(person, states, ConsentAction.REQUESTED, suppressed=suppressed)
        elif person.new:
            self._record(person, None, ConsentAction.IMPORTED_NONE)
        return stand.value

    def _agreed_later(self, standing: Standing, states: Mapping[str | None, tuple[str, datetime]]) -> bool:
        """The person left there, and has agreed here since: that is their last word. Without a time it is not."""
        at = standing.at
        return at is not None and any(state == "given" and since > at for state, since in states.values())

    def _refuse(self, person: _Person) -> None:
        reason = _REASONS[person.standing.stand]
        if person.standing.stand is Stand.BOUNCED:
            if person.new:
                self._record(person, None, ConsentAction.IMPORTED_NONE)
        else:
            unsubscribe(
                actor=self._actor,
                contact_id=person.contact_id,
                topic_key=None,
                evidence=self._evidence(person.standing),
            )
        for row in Identifier.objects.filter(contact_id=person.contact_id, kind=Identifier.Kind.EMAIL):
            suppress_blind(
                actor=self._actor,
                kind="email",
                blind=bytes(row.blind),
                reason=reason,
                note=f"{METHOD}: {self._recipe.origin}",
            )

    def _agree(
        self,
        person: _Person,
        states: Mapping[str | None, tuple[str, datetime]],
        action: ConsentAction,
        *,
        suppressed: bool,
    ) -> str:
        """Never over a refusal, never over something that is settled here already."""
        if suppressed or states.get(None, ("",))[0] == "withdrawn":
            return "refused"
        written = False
        for topic in self._terms.topics:
            if states.get(topic, ("",))[0] in {"given", "withdrawn", "pending"}:
                continue
            self._record(person, topic, action)
            written = True
        if not written and person.new:
            self._record(person, None, ConsentAction.IMPORTED_NONE)
            return Stand.NONE.value
        return person.standing.stand.value if written else "kept"

    def _record(self, person: _Person, topic: str | None, action: ConsentAction) -> None:
        consent_record(
            actor=self._actor,
            contact_id=person.contact_id,
            channel=Channel.EMAIL,
            topic_key=topic,
            action=action,
            evidence=self._evidence(person.standing, given=action is ConsentAction.GIVEN),
        )

    def _evidence(self, standing: Standing, *, given: bool = False) -> Evidence:
        """The original time and address; never a time to come. The wording is what the importer declared."""
        confirmed = standing.confirmed_at
        at = (confirmed or standing.at) if given else standing.at
        return Evidence(
            method=METHOD,
            legal_basis="consent" if given else "",
            wording=f"{self._terms.statement} [{self._recipe.origin}] {standing.why}".strip(),
            wording_version=self._label,
            ip=standing.ip,
            requested_at=standing.at if given and confirmed is not None else None,
            occurred_at=min(at, self._at) if at is not None else self._at,
        )

    def _states(self, contact_ids: Sequence[int]) -> dict[int, dict[str | None, tuple[str, datetime]]]:
        rows = ConsentState.objects.filter(contact_id__in=contact_ids, channel=Channel.EMAIL)
        found: dict[int, dict[str | None, tuple[str, datetime]]] = {}
        for contact_id, topic, state, since in rows.values_list("contact_id", "topic__key", "state", "since"):
            found.setdefault(contact_id, {})[topic] = (state, since)
        return found

    def _suppressed(self, contact_ids: Sequence[int]) -> set[int]:
        pairs = Identifier.objects.filter(contact_id__in=contact_ids, kind=Identifier.Kind.EMAIL)
        owners = {bytes(blind): contact_id for contact_id, blind in pairs.values_list("contact_id", "blind")}
        held = Suppression.objects.filter(kind="email", blind__in=list(owners)).values_list("blind", flat=True)
        return {owners[bytes(blind)] for blind in held}

    def _join_lists(self, people: Sequence[_Person]) -> None:
        members: dict[str, list[int]] = {}
        for person in people:
            for name in person.standing.lists:
                members.setdefault(name, []).append(person.contact_id)
        for name, contact_ids in members.items():
            list_id = self._list(name)
            if list_id is not None:
                add_to_list(list_id, contact_ids, self._label)

    def _list(self, name: str) -> int | None:
        if name not in self._lists:
            if len(self._lists) >= MAX_LISTS:
                return None
            found, _made = ContactList.objects.get_or_create(name=" ".join(name.split())[:120])
            self._lists[name] = found.pk
        return self._lists[name]

    def _fill(self, people: Sequence[_Person]) -> None:
        """Further facts into fields of the same name that are there; a value that does not fit is left out alone."""
        custom = set(FieldDefinition.objects.filter(archived_at=None).values_list("key", flat=True))
        for person in people:
            for name, value in person.standing.attributes:
                field = headers.target_of(name) or (CUSTOM + name if name in custom else "")
                if not field or field in {"email", "tags", "notes"}:
                    continue
                try:
                    with transaction.atomic():
                        contact_fill(contact_id=person.contact_id, values={field: value}, source=self._label)
                except InvalidValues:
                    continue

    def _tell(self, people: Sequence[_Person]) -> None:
        """What happened there, for the timeline; the same import twice tells it once."""
        append(
            [
                NewEvent(
                    person.contact_id,
                    f"newsletter_{name}",
                    min(time, self._at),
                    self._recipe.origin.value,
                    {"system": self._recipe.origin.value, **({"campaign": further} if further else {})},
                    f"{person.contact_id}:{name}:{time.isoformat()}",
                )
                for person in people
                for name, time, further in person.standing.facts
            ]
        )
