"""``hongyan import FILE`` and ``hongyan export FILE``: the same services as the pages, run here with a progress bar."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from hongyan.accounts.types import system_actor
from hongyan.ingest.headers import SEALED, plain, sealed_of
from hongyan.ingest.mapping import CUSTOM, EVERY_ROW, KEYS

_out, _err = Console(), Console(stderr=True)


def import_command(  # noqa: PLR0917 - the options of a command line
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV or XLSX file; orders also Parquet")
    ],
    kind: Annotated[str, typer.Option(help="What the rows are: contacts, orders or products")] = "contacts",
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="COLUMN=field, e.g. 邮箱=email; repeat. Others are recognised")
    ] = None,
    policy: Annotated[str, typer.Option(help="Existing contacts: update, skip or fill_empty")] = "update",
    match_on: Annotated[
        str,
        typer.Option(
            help="Tell contacts apart by email, phone or external_id; rows without it are rejected. row: every row "
            "is a contact unless its e-mail is known, cells that cannot be read are left out. Default: a key that all "
            "rows have, else row"
        ),
    ] = "",
    topic: Annotated[list[str] | None, typer.Option(help="Topic these people agreed to; repeat")] = None,
    consent_source: Annotated[str, typer.Option(help="Where and how they agreed (needed with --topic)")] = "",
    no_consent: Annotated[bool, typer.Option("--no-consent", help="Import without consent")] = False,  # noqa: FBT002
    tag: Annotated[list[str] | None, typer.Option(help="Key of a tag to give to everybody; repeat")] = None,
    region: Annotated[str, typer.Option(help="Country of phone numbers without a country code")] = "CN",
    date_order: Annotated[str, typer.Option(help="ymd, dmy or mdy")] = "ymd",
    encoding: Annotated[str, typer.Option(help="Instead of the recognised one, e.g. gb18030")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen")] = False,  # noqa: FBT002
    rejects: Annotated[Path | None, typer.Option(help="Write rejected rows with their reasons here (CSV)")] = None,
    source: Annotated[str, typer.Option(help="Orders, products: the name they are kept under")] = "",
    currency: Annotated[str, typer.Option(help="Orders, products: currency of amounts without one, e.g. CNY")] = "",
    zone: Annotated[str, typer.Option(help="Orders: time zone of times without one, e.g. Asia/Shanghai")] = "",
) -> None:
    """Import contacts, orders or products from a file."""
    if kind != "contacts":
        options = {"source": source, "currency": currency, "zone": zone, "date_order": date_order}
        _import_commerce(
            file, kind=kind, mapping=mapping or [], options=options, encoding=encoding, dry_run=dry_run, rejects=rejects
        )
        return
    from hongyan.ingest import words
    from hongyan.ingest.errors import IngestRefused

    if not topic and not no_consent and not dry_run:
        _fail("Say --topic … --consent-source … if these people agreed to be mailed, or --no-consent.")
    try:
        row = _configured(
            file,
            encoding=encoding,
            mapping=mapping or [],
            topics=topic or [],
            source=consent_source,
            options={
                "policy": policy,
                "match_on": match_on,
                "default_region": region,
                "date_order": date_order,
                "tags": tag or [],
            },
        )
        counts = _run(row, dry_run=dry_run)
    except IngestRefused as error:
        _fail(words.refusal(error))
    _print(counts, dry_run=dry_run)
    if rejects is not None:
        _write_rejects(row, rejects, dry_run=dry_run)


def _import_commerce(
    file: Path,
    *,
    kind: str,
    mapping: list[str],
    options: dict[str, str],
    encoding: str,
    dry_run: bool,
    rejects: Path | None,
) -> None:
    from hongyan.ingest import words
    from hongyan.ingest.commerce import command
    from hongyan.ingest.errors import IngestRefused

    try:
        row, counts = command.import_file(
            file,
            kind=kind,
            mapping=mapping,
            options={name: value for name, value in options.items() if value},
            encoding=encoding,
            dry_run=dry_run,
            bar=_bar,
        )
    except IngestRefused as error:
        _fail(words.refusal(error))
    for table in command.tables(counts, dry_run=dry_run):
        _out.print(table)
    if rejects is not None:
        _write_rejects(row, rejects, dry_run=dry_run)


def export_command(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Where to write; .csv or .xlsx")],
    reason: Annotated[str, typer.Option(help="What the export is for; goes into the audit log")] = "",
    clusters: Annotated[
        Path | None,
        typer.Option(help="Instead: which contact each imported row belongs to now, as CSV; FILE is `contacts`"),
    ] = None,
    column: Annotated[list[str] | None, typer.Option(help="Column to write; repeat. Default: all")] = None,
    condition: Annotated[str, typer.Option("--where", help="Condition as JSON, as saved audiences have")] = "",
) -> None:
    """Export contacts to a CSV or XLSX file. Formula cells are neutralised."""
    from hongyan.ingest import words
    from hongyan.ingest.errors import IngestRefused
    from hongyan.ingest.exports import export_columns, export_create, export_open, export_run

    if clusters is not None:
        _write_clusters(clusters)
        return
    if not reason:
        _fail("Say --reason: what the export is for. It goes into the audit log.")
    actor = system_actor("command line")
    try:
        tree = json.loads(condition) if condition else None
        export = export_create(
            actor=actor,
            columns=column or export_columns(),
            reason=reason,
            format="xlsx" if file.suffix.lower() == ".xlsx" else "csv",
            tree=tree,
            queue=False,
        )
    except IngestRefused as error:
        _fail(words.refusal(error))
    except json.JSONDecodeError:
        _fail("--where is not JSON.")
    with _bar("Exporting") as progress:
        rows = export_run(export.pk, progress)
    with export_open(actor=actor, public_id=export.public_id) as source, file.open("wb") as target:
        file.chmod(0o600)
        while block := source.read(1 << 20):
            target.write(block)
    _out.print(f"{rows:,} contacts written to {file}")


def _write_clusters(path: Path) -> None:
    from hongyan.ingest.origins import clusters_write

    with path.open("w", encoding="utf-8", newline="") as target:
        path.chmod(0o600)
        rows = clusters_write(actor=system_actor("command line"), target=target)
    _out.print(f"{rows:,} rows written to {path}")


def _configured(
    file: Path, *, encoding: str, mapping: list[str], topics: list[str], source: str, options: dict[str, Any]
) -> Any:
    from hongyan.ingest import services
    from hongyan.ingest.errors import MappingRefused
    from hongyan.ingest.types import ConsentChoice

    actor = system_actor("command line")
    with file.open("rb") as stream:
        row = services.import_create(actor=actor, file=stream, filename=file.name)
    if encoding:
        row = services.import_reread(actor=actor, public_id=row.public_id, encoding=encoding)
    targets = list(row.mapping)
    for entry in mapping:
        name, _, target = entry.rpartition("=")
        if name not in row.header:
            raise MappingRefused("mapping_unknown", target=name[:64])
        targets = ["" if known == target else known for known in targets]
        targets[row.header.index(name)] = target
    options["match_on"] = options["match_on"] or _key_of_all(row, targets)
    if options["match_on"] == EVERY_ROW:
        targets = _rows_named(row.header, targets, said={entry.rpartition("=")[0] for entry in mapping})
    targets = _with_sealed(row.header, targets)
    services.import_configure(actor=actor, public_id=row.public_id, mapping=targets, options=options)
    return services.import_consent(
        actor=actor,
        public_id=row.public_id,
        choice=ConsentChoice.ATTESTED if topics else ConsentChoice.NONE,
        topics=topics,
        source=source,
        declared=bool(topics),
        statement="Declared on the command line: these people agreed to receive mail on these topics.",
    )


def _key_of_all(row: Any, targets: list[str]) -> str:
    """The first key that every row of the beginning has. A column called id numbers rows, it is no key."""
    from hongyan.ingest.selectors import import_preview

    preview = import_preview(actor=system_actor("command line"), public_id=row.public_id, rows=200)
    rows = [cells for _, cells in preview.rows if isinstance(cells, list)]
    for key in KEYS:
        place = targets.index(key) if key in targets else -1
        if place >= 0 and plain(row.header[place]) not in _ROW_IDS and all(cells[place].strip() for cells in rows):
            return key
    return EVERY_ROW


_ROW_IDS = frozenset({"id", "recordid"})


def _rows_named(header: list[str], targets: list[str], *, said: set[str]) -> list[str]:
    """A column called id numbers the rows of a file rather than customers: two files would give one number to two
    people. A customer number, or --map id=external_id, says otherwise."""
    if "row_id" in targets:
        return targets
    return [
        "row_id" if target == "external_id" and plain(name) in _ROW_IDS and name not in said else target
        for name, target in zip(header, targets, strict=True)
    ]


def _with_sealed(header: list[str], targets: list[str]) -> list[str]:
    """Identity numbers and the like go into sealed fields, made when the first file brings them."""
    from hongyan.contacts.fields import field_create
    from hongyan.contacts.models import FieldDefinition

    found: list[str] = []
    for name, target in zip(header, targets, strict=True):
        key = sealed_of(name) if not target else None
        if key is None or CUSTOM + key in (*targets, *found):
            found.append(target)
            continue
        if not FieldDefinition.objects.filter(key=key).exists():
            zh, en, _ = SEALED[key]
            actor = system_actor("command line")
            field_create(actor=actor, key=key, label_zh=zh, label_en=en, type="text", sensitive=True)
        found.append(CUSTOM + key)
    return found


def _run(row: Any, *, dry_run: bool) -> Any:
    """Here rather than in the worker, so that the command works on its own."""
    from hongyan.ingest import services
    from hongyan.ingest.runner import import_dry, import_run

    if dry_run:
        with _bar("Reading") as progress:
            return import_dry(row.pk, progress)
    services.import_begin(actor=system_actor("command line"), public_id=row.public_id)
    with _bar("Importing") as progress:
        return import_run(row.pk, progress)


class _bar:  # noqa: N801 - used as a function
    def __init__(self, label: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=_err)
        self._label = label

    def __enter__(self) -> Any:
        self._progress.start()
        task = self._progress.add_task(self._label, total=None)

        def advance(done: int, total: int | None) -> None:
            self._progress.update(task, completed=done, total=total)

        return advance

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def _print(counts: Any, *, dry_run: bool) -> None:
    from hongyan.ingest import words

    table = Table(title="Trial run: nothing was written" if dry_run else "Import", show_header=False)
    for name in ("rows", "created", "updated", "unchanged", "skipped", "merged", "rejected", "suppressed"):
        table.add_row(name, f"{getattr(counts, name):,}")
    if counts.left_out:
        table.add_row("cells left out", f"{counts.left_out:,}")
    for code, count in sorted(counts.reasons.items(), key=lambda item: -item[1]):
        table.add_row(f"  {code}", f"{count:,}  {words.rejection(code)}")
    _out.print(table)


def _write_rejects(row: Any, path: Path, *, dry_run: bool) -> None:
    if dry_run:
        _out.print(f"{path} was not written: a trial run counts reasons, the import itself keeps the rows.")
        return
    from django.conf import settings

    from hongyan.ingest.selectors import rejections_csv

    actor = system_actor("command line")
    with path.open("wb") as target:
        path.chmod(0o600)
        for block in rejections_csv(actor=actor, public_id=row.public_id, language=settings.LANGUAGE_CODE):
            target.write(block)


def _fail(message: str) -> Any:
    _err.print(f"[red]{message}[/red]")
    raise typer.Exit(2)
