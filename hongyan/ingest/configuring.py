"""Decisions about an import before it starts: mapping, options, fields, consent, where the file comes from."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils.translation import get_language

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts.errors import DefinitionRefused
from hongyan.contacts.fields import field_create
from hongyan.core.clock import now
from hongyan.ingest import mapping as mappings
from hongyan.ingest import selectors
from hongyan.ingest.drafts import draft, usable_key
from hongyan.ingest.errors import ImportNotReady, MappingRefused
from hongyan.ingest.migrating.recognise import Recipe
from hongyan.ingest.models import Import
from hongyan.ingest.types import ConsentChoice, ConsentTerms, DateOrder, Options

POLICIES = ("update", "skip", "fill_empty")


def import_configure(
    *,
    actor: Actor,
    public_id: uuid.UUID,
    mapping: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Import:
    """Set the mapping (target of each column, "" leaves it out) and options (``types.Options``, consent apart).

    Raises MappingRefused. A change makes an earlier dry run void.
    """
    actor.require(Permission.IMPORT_RUN)
    with transaction.atomic():
        row = draft(public_id)
        choices = _options(row.choices, options or {})
        targets = list(row.mapping if mapping is None else mapping)
        if mapping is not None and (options is None or "match_on" not in options):
            choices = replace(choices, match_on=usable_key(targets, choices.match_on))
        mappings.check(
            targets, width=len(row.header), custom=list(selectors.custom_labels()), match_on=choices.match_on
        )
        row.mapping, row.options = targets, choices.dump()
        row.dry_counts, row.dry_samples, row.dry_job = None, [], None
        row.save()
    return row


def _options(present: Options, given: Mapping[str, Any]) -> Options:
    unknown = sorted(set(given) - {"policy", "match_on", "default_region", "date_order", "tags", "lists"})
    if unknown:
        raise MappingRefused("mapping_protected", target=unknown[0][:64])
    changed: dict[str, Any] = {key: tuple(value) if key in {"tags", "lists"} else value for key, value in given.items()}
    chosen = replace(present, **changed)
    allowed = {
        "policy": (chosen.policy, POLICIES),
        "date_order": (chosen.date_order, tuple(order.value for order in DateOrder)),
        "default_region": (chosen.default_region, selectors.region_codes()),
    }
    for name, (value, values) in allowed.items():
        if value not in values:
            raise MappingRefused("option_unknown", option=name, value=str(value)[:40])
    selectors.check_tags_and_lists(chosen.tags, chosen.lists)
    return chosen


def import_field_create(
    *, actor: Actor, public_id: uuid.UUID, column: int, key: str, label: str, field_type: str, sensitive: bool = False
) -> Import:
    """Make a custom field and map the column to it. Raises MappingRefused."""
    actor.require(Permission.IMPORT_RUN)
    with transaction.atomic():
        row = draft(public_id)
        if not 0 <= column < len(row.header):
            raise MappingRefused("mapping_length", given=column, columns=len(row.header))
        try:
            with transaction.atomic():
                field_create(actor=actor, key=key, label_zh=label, label_en=label, type=field_type, sensitive=sensitive)
        except DefinitionRefused as error:
            raise MappingRefused("field_refused", reason=error.message) from error
        row.mapping = [mappings.CUSTOM + key if place == column else target for place, target in enumerate(row.mapping)]
        row.dry_counts, row.dry_samples, row.dry_job = None, [], None
        row.save(update_fields=["mapping", "dry_counts", "dry_samples", "dry_job"])
    return row


def import_consent(
    *,
    actor: Actor,
    public_id: uuid.UUID,
    choice: ConsentChoice,
    topics: Sequence[str] = (),
    source: str = "",
    declared: bool = False,
    statement: str = "",
) -> Import:
    """Decide about consent. ATTESTED stores who declared what and when as evidence of every consent it records.

    topics: keys of topics. source: how these people agreed, in the importer's words. declared: the ticked box.
    statement: the wording shown beside it. Raises ImportNotReady.
    """
    actor.require(Permission.IMPORT_RUN)
    terms = ConsentTerms(choice=choice)
    if choice is ConsentChoice.UNDECIDED:
        raise ImportNotReady("consent_undecided")
    if choice is ConsentChoice.KEPT:
        terms = _kept_terms(actor, public_id, topics, declared=declared, statement=statement)
    if choice is ConsentChoice.ATTESTED:
        if not topics or not source.strip() or not selectors.topics_exist(topics):
            raise ImportNotReady("consent_incomplete")
        if not declared or not statement.strip():
            raise ImportNotReady("consent_not_declared")
        terms = ConsentTerms(
            choice=choice,
            topics=tuple(topics),
            source=source.strip()[:500],
            statement=statement.strip()[:1000],
            attested_by=actor.label,
            attested_at=now().isoformat(timespec="seconds"),
        )
    with transaction.atomic():
        row = draft(public_id)
        row.options = replace(row.choices, consent=terms).dump()
        row.dry_counts, row.dry_samples, row.dry_job = None, [], None
        row.save(update_fields=["options", "dry_counts", "dry_samples", "dry_job"])
        record(
            actor=actor,
            action="import.consent_decided",
            subject_kind="import",
            subject_id=str(row.public_id),
            data={"choice": choice.value, "topics": list(terms.topics)},
        )
    return row


def _kept_terms(
    actor: Actor, public_id: uuid.UUID, topics: Sequence[str], *, declared: bool, statement: str
) -> ConsentTerms:
    """Consent as another system has it: which topics it stands for here, and who says so."""
    recipe = Recipe.load(Import.objects.get(public_id=public_id).recipe)
    if recipe is None:
        raise ImportNotReady("consent_not_known")
    if not topics or not selectors.topics_exist(topics):
        raise ImportNotReady("consent_incomplete")
    if not declared or not statement.strip():
        raise ImportNotReady("consent_not_declared")
    return ConsentTerms(
        choice=ConsentChoice.KEPT,
        topics=tuple(topics),
        source=recipe.origin.value,
        statement=statement.strip()[:1000],
        attested_by=actor.label,
        attested_at=now().isoformat(timespec="seconds"),
    )


def import_fields_of_origin(*, actor: Actor, public_id: uuid.UUID) -> Import:
    """Make custom fields for what the other system keeps of its own (ratings, stages) and map the columns to them."""
    actor.require(Permission.IMPORT_RUN)
    recipe = Recipe.load(_draft_seen(public_id).recipe)
    row = _draft_seen(public_id)
    for extra in recipe.extras if recipe is not None else ():
        if row.mapping[extra.column]:
            continue
        if extra.key in selectors.custom_labels():
            targets = list(row.mapping)
            targets[extra.column] = mappings.CUSTOM + extra.key
            row = import_configure(actor=actor, public_id=public_id, mapping=targets)
            continue
        label = extra.label_zh if (get_language() or "").startswith("zh") else extra.label_en
        row = import_field_create(
            actor=actor, public_id=public_id, column=extra.column, key=extra.key, label=label, field_type=extra.type
        )
    return row


def import_forget_origin(*, actor: Actor, public_id: uuid.UUID) -> Import:
    """Treat the file as any other: what it says about consent is not looked at."""
    actor.require(Permission.IMPORT_RUN)
    with transaction.atomic():
        row = draft(public_id)
        row.recipe = {}
        if row.choices.consent.choice is ConsentChoice.KEPT:
            row.options = replace(row.choices, consent=ConsentTerms()).dump()
        row.dry_counts, row.dry_samples, row.dry_job = None, [], None
        row.save()
    return row


def _draft_seen(public_id: uuid.UUID) -> Import:
    return Import.objects.get(public_id=public_id)
