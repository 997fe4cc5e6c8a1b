"""What acts on imports share: a draft under its lock, its preview, whether it may start."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, replace

from hongyan.ingest import mapping as mappings
from hongyan.ingest import selectors
from hongyan.ingest.errors import FileRefused, ImportNotReady
from hongyan.ingest.files.types import Preview
from hongyan.ingest.migrating import mapping as migrating
from hongyan.ingest.migrating.recognise import recognise
from hongyan.ingest.models import Import
from hongyan.ingest.types import ConsentChoice, ImportState, Options


def draft(public_id: uuid.UUID) -> Import:
    row = locked(public_id)
    if row.state != ImportState.DRAFT:
        raise ImportNotReady("already_started")
    return row


def locked(public_id: uuid.UUID) -> Import:
    return Import.objects.select_for_update(of=("self",)).get(public_id=public_id)


def check_ready(row: Import) -> None:
    options = row.choices
    mappings.check(
        row.mapping, width=len(row.header), custom=list(selectors.custom_labels()), match_on=options.match_on
    )
    if options.consent.choice is ConsentChoice.UNDECIDED:
        raise ImportNotReady("consent_undecided")
    if row.stored_name is None:
        raise FileRefused("file_gone")


def apply_preview(row: Import, preview: Preview) -> None:
    row.dialect = asdict(preview.dialect)
    row.header = [cell[:200] for cell in preview.header]
    row.sheets, row.sheet = [name[:255] for name in preview.sheets], preview.sheet[:255]
    memory = selectors.remembered(row.header)
    suggestions = mappings.suggest(
        row.header, preview.rows, custom=selectors.custom_labels(), remembered=memory.mapping if memory else None
    )
    row.mapping = [suggestion.target for suggestion in suggestions]
    recipe = recognise(row.header, row.file_name)
    row.recipe = recipe.dump() if recipe is not None else {}
    if recipe is not None and memory is None:
        row.mapping = migrating.mapping_of(recipe, row.mapping, selectors.custom_labels())
    options = Options.load({**(memory.options if memory else {}), "consent": {}})
    row.options = replace(options, match_on=usable_key(row.mapping, options.match_on)).dump()
    row.dry_counts, row.dry_samples, row.dry_job = None, [], None


def usable_key(mapping: Sequence[str], wished: str) -> str:
    if wished == mappings.EVERY_ROW:
        return wished
    return next((key for key in (wished, *mappings.KEYS) if key in mapping), wished)
