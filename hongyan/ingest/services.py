"""Acts on imports, in the order a person does them: upload, configure, try out, start, pause, resume, cancel, undo."""

import hashlib
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, BinaryIO

from django.db import transaction
from django.utils.translation import get_language, gettext_noop

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts.errors import DefinitionRefused
from hongyan.contacts.fields import field_create
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring
from hongyan.ingest import files_at_rest as rest
from hongyan.ingest import mapping as mappings
from hongyan.ingest import selectors
from hongyan.ingest.errors import FileRefused, ImportNotReady, MappingRefused
from hongyan.ingest.files.preview import look, with_choices
from hongyan.ingest.files.types import MAX_FILE_BYTES, Dialect, Preview
from hongyan.ingest.migrating import mapping as migrating
from hongyan.ingest.migrating.recognise import Recipe, recognise
from hongyan.ingest.models import ColumnMemory, Import
from hongyan.ingest.storage import SealedReader, SealedWriter, new_key
from hongyan.ingest.types import ConsentChoice, ConsentTerms, DateOrder, ImportState, Options
from hongyan.jobs.models import Job
from hongyan.jobs.services import job_cancel, job_pause, job_resume, job_retry, job_start

POLICIES = ("update", "skip", "fill_empty")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def import_create(*, actor: Actor, file: BinaryIO | Iterable[bytes], filename: str) -> Import:
    """Store an uploaded file, find out how it is written and suggest a mapping. Raises FileRefused."""
    actor.require(Permission.IMPORT_RUN)
    rest.check_free_space()
    name, key = uuid.uuid4(), new_key()
    digest = hashlib.sha256()
    try:
        with SealedWriter(rest.path_of(name), key) as writer:
            for block in _blocks(file):
                digest.update(block)
                writer.write(block)
                check_size(writer.size)
            size = writer.commit()
        with SealedReader(rest.path_of(name), key) as stored:
            preview = look(stored)  # type: ignore[arg-type]
        return _create(actor, filename, size, digest.digest(), name, key, preview)
    except BaseException:
        rest.remove(name)
        raise


def check_size(size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise FileRefused("file_too_large", limit="1 GiB")


@transaction.atomic
def _create(  # noqa: PLR0917 - the second half of import_create
    actor: Actor, filename: str, size: int, digest: bytes, name: uuid.UUID, key: bytes, preview: Preview
) -> Import:
    row = Import.objects.create(
        file_name=clean_name(filename),
        size=size,
        sha256=digest,
        stored_name=name,
        owner_id=actor.id if actor.kind == "user" else None,
        options=Options().dump(),
    )
    row.stored_key = keyring().records.seal(key, owner_id=row.pk)
    _apply_preview(row, preview)
    row.save()
    record(
        actor=actor,
        action="import.uploaded",
        subject_kind="import",
        subject_id=str(row.public_id),
        data={"size": size, "columns": len(preview.header)},
    )
    return row


def _apply_preview(row: Import, preview: Preview) -> None:
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
    row.options = replace(options, match_on=_usable_key(row.mapping, options.match_on)).dump()
    row.dry_counts, row.dry_samples, row.dry_job = None, [], None


def _usable_key(mapping: Sequence[str], wished: str) -> str:
    if wished == mappings.EVERY_ROW:
        return wished
    return next((key for key in (wished, *mappings.KEYS) if key in mapping), wished)


def clean_name(filename: str) -> str:
    """A name to show: no path, no control or direction characters, at most 255. Never used on disk."""
    name = re.split(r"[/\\]", filename)[-1]
    return _CONTROLS.sub("", name).strip()[:255] or "file"


def import_reread(
    *,
    actor: Actor,
    public_id: uuid.UUID,
    encoding: str | None = None,
    delimiter: str | None = None,
    has_header: bool | None = None,
    sheet: str | None = None,
) -> Import:
    """Read the file with the user's encoding, delimiter, header choice or sheet; None means: guess again.

    The mapping is suggested anew. Raises FileRefused, and nothing changes, when it cannot be read so.
    """
    actor.require(Permission.IMPORT_RUN)
    with transaction.atomic():
        row = _draft(public_id)
        with rest.open_stored(row) as stored:
            source: BinaryIO = stored  # type: ignore[assignment]
            chosen = with_choices(source, encoding=encoding, delimiter=delimiter, has_header=has_header)
            preview = look(source, sheet=sheet or row.sheet, chosen=chosen)
        if preview.sheet != row.sheet or preview.dialect.has_header != Dialect(**row.dialect).has_header:
            rest.remove(row.copied_name)
            row.copied_name = None
        _apply_preview(row, preview)
        row.save()
    return row


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
        row = _draft(public_id)
        choices = _options(row.choices, options or {})
        targets = list(row.mapping if mapping is None else mapping)
        if mapping is not None and (options is None or "match_on" not in options):
            choices = replace(choices, match_on=_usable_key(targets, choices.match_on))
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
        row = _draft(public_id)
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
        row = _draft(public_id)
        row.recipe = {}
        if row.choices.consent.choice is ConsentChoice.KEPT:
            row.options = replace(row.choices, consent=ConsentTerms()).dump()
        row.dry_counts, row.dry_samples, row.dry_job = None, [], None
        row.save()
    return row


def _draft_seen(public_id: uuid.UUID) -> Import:
    return Import.objects.get(public_id=public_id)


def import_dry_run(*, actor: Actor, public_id: uuid.UUID) -> Job:
    """Start working out what the import would do. Writes nothing but the answer."""
    actor.require(Permission.IMPORT_RUN)
    with transaction.atomic():
        row = _draft(public_id)
        _check_ready(row)
        job = job_start(
            actor=actor,
            kind="import_dry_run",
            params={"import_id": row.pk},
            title=gettext_noop("Trial run of “%(file)s”"),
            title_params={"file": row.file_name[:80]},
        )
        row.dry_job, row.dry_counts, row.dry_samples = job, None, []
        row.save(update_fields=["dry_job", "dry_counts", "dry_samples"])
    return job


def import_start(*, actor: Actor, public_id: uuid.UUID) -> Job:
    """Start the real import as a job. Raises ImportNotReady while a decision is missing."""
    with transaction.atomic():
        row = import_begin(actor=actor, public_id=public_id)
        row.job = job_start(
            actor=actor,
            kind="import",
            params={"import_id": row.pk},
            title=gettext_noop("Import of “%(file)s”"),
            title_params={"file": row.file_name[:80]},
        )
        row.save(update_fields=["job"])
    return row.job


def import_begin(*, actor: Actor, public_id: uuid.UUID) -> Import:
    """From draft to started, without a job: for callers that run ``runner.import_run`` themselves."""
    actor.require(Permission.IMPORT_RUN)
    rest.check_free_space()
    with transaction.atomic():
        row = _draft(public_id)
        _check_ready(row)
        same = Import.objects.filter(sha256=row.sha256, state=ImportState.STARTED).exclude(pk=row.pk)
        if same.exists():
            raise ImportNotReady("same_file_running")
        row.state, row.started_at = ImportState.STARTED, now()
        row.save(update_fields=["state", "started_at"])
        _remember(row)
        record(
            actor=actor,
            action="import.started",
            subject_kind="import",
            subject_id=str(row.public_id),
            data={"policy": row.choices.policy, "consent": row.choices.consent.choice, "size": row.size},
        )
    return row


def _remember(row: Import) -> None:
    key = mappings.signature(row.header)
    if key is None:
        return
    options = {
        name: value
        for name, value in row.options.items()
        if name in {"policy", "match_on", "default_region", "date_order"}
    }
    ColumnMemory.objects.update_or_create(signature=key, defaults={"mapping": row.mapping, "options": options})


def import_cancel(*, actor: Actor, public_id: uuid.UUID) -> Import:
    """Stop; what was taken so far stays and is counted. A draft is thrown away together with its file."""
    actor.require(Permission.IMPORT_RUN)
    with transaction.atomic():
        row = _locked(public_id)
        if row.state == ImportState.DRAFT:
            rest.remove(row.stored_name)
            rest.remove(row.copied_name)
            row.state, row.stored_name, row.copied_name = ImportState.CANCELLED, None, None
        elif row.state == ImportState.STARTED and row.job_id is not None:
            job = job_cancel(actor=actor, job_id=row.job_id)
            if job.ended:  # it was waiting or paused: nobody else will close the import
                row.state = ImportState.CANCELLED
        else:
            raise ImportNotReady("not_started")
        if row.ended:
            row.finished_at = now()
        row.save()
        record(actor=actor, action="import.cancelled", subject_kind="import", subject_id=str(row.public_id))
    return row


def import_pause(*, actor: Actor, public_id: uuid.UUID) -> Import:
    return _with_job(actor, public_id, job_pause)


def import_resume(*, actor: Actor, public_id: uuid.UUID) -> Import:
    """After a pause, or after its job failed for a reason of ours: it goes on where it stopped."""
    rest.check_free_space()
    return _with_job(actor, public_id, _resume_or_retry)


def _resume_or_retry(*, actor: Actor, job_id: int) -> Job:
    job = job_resume(actor=actor, job_id=job_id)
    return job_retry(actor=actor, job_id=job_id) if job.ended else job


def _with_job(actor: Actor, public_id: uuid.UUID, act: Any) -> Import:
    actor.require(Permission.IMPORT_RUN)
    with transaction.atomic():
        row = _locked(public_id)
        if row.state != ImportState.STARTED or row.job_id is None:
            raise ImportNotReady("not_started")
        act(actor=actor, job_id=row.job_id)
    return row


def import_undo(*, actor: Actor, public_id: uuid.UUID) -> Job:
    """Delete the contacts this import created, as a job; those with whom something has happened since stay."""
    actor.require(Permission.IMPORT_RUN)
    actor.require(Permission.CONTACT_EDIT)
    with transaction.atomic():
        row = _locked(public_id)
        if row.state not in {ImportState.FINISHED, ImportState.CANCELLED, ImportState.FAILED}:
            raise ImportNotReady("undo_not_possible")
        job = job_start(
            actor=actor,
            kind="import_undo",
            params={"import_id": row.pk},
            title=gettext_noop("Undo of “%(file)s”"),
            title_params={"file": row.file_name[:80]},
        )
        row.job = job
        row.save(update_fields=["job"])
        record(actor=actor, action="import.undone", subject_kind="import", subject_id=str(row.public_id))
    return job


def import_field_create(
    *, actor: Actor, public_id: uuid.UUID, column: int, key: str, label: str, field_type: str, sensitive: bool = False
) -> Import:
    """Make a custom field and map the column to it. Raises MappingRefused."""
    actor.require(Permission.IMPORT_RUN)
    with transaction.atomic():
        row = _draft(public_id)
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


def _check_ready(row: Import) -> None:
    options = row.choices
    mappings.check(
        row.mapping, width=len(row.header), custom=list(selectors.custom_labels()), match_on=options.match_on
    )
    if options.consent.choice is ConsentChoice.UNDECIDED:
        raise ImportNotReady("consent_undecided")
    if row.stored_name is None:
        raise FileRefused("file_gone")


def _draft(public_id: uuid.UUID) -> Import:
    row = _locked(public_id)
    if row.state != ImportState.DRAFT:
        raise ImportNotReady("already_started")
    return row


def _locked(public_id: uuid.UUID) -> Import:
    return Import.objects.select_for_update(of=("self",)).get(public_id=public_id)


def _blocks(file: BinaryIO | Iterable[bytes]) -> Iterable[bytes]:
    read = getattr(file, "read", None)
    if read is None:
        yield from file
        return
    while block := read(1 << 20):
        yield block
