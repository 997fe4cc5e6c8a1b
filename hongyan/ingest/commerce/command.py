"""``hongyan import FILE --kind orders``: the same services as the pages, run here, with a reconciliation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from hongyan.accounts.types import system_actor


def import_file(
    file: Path, *, kind: str, mapping: Sequence[str], options: dict[str, Any], encoding: str, dry_run: bool, bar: Any
) -> tuple[Any, Any]:
    """The import and its counts. Raises IngestRefused."""
    from hongyan.ingest.commerce import runner, services
    from hongyan.ingest.errors import MappingRefused

    actor = system_actor("command line")
    with file.open("rb") as stream:
        row = services.order_import_create(actor=actor, file=stream, filename=file.name, kind=kind)
    if encoding:
        row = services.order_import_reread(actor=actor, public_id=row.public_id, encoding=encoding)
    targets = list(row.mapping)
    for entry in mapping:
        name, _, target = entry.rpartition("=")
        if name not in row.header:
            raise MappingRefused("mapping_unknown", target=name[:64])
        targets = ["" if known == target else known for known in targets]
        targets[row.header.index(name)] = target
    services.order_import_configure(actor=actor, public_id=row.public_id, mapping=targets, options=options)
    if dry_run:
        with bar("Reading") as progress:
            return row, runner.order_import_dry(row.pk, progress)
    services.order_import_begin(actor=actor, public_id=row.public_id)
    with bar("Importing") as progress:
        return row, runner.order_import_run(row.pk, progress)


def tables(counts: Any, *, dry_run: bool) -> list[Table]:
    """What became of the rows, and the file against what was kept."""
    from hongyan.commerce import words as commerce_words
    from hongyan.ingest import words
    from hongyan.ingest.commerce.reconcile import comparison

    summary = Table(title="Trial run: nothing was written" if dry_run else "Import", show_header=False)
    for name in (
        "rows", "rejected", "created", "updated", "unchanged", "stale", "orders", "credits", "adjustments", "lines",
        "contacts",
    ):  # fmt: skip
        summary.add_row(name, f"{getattr(counts, name):,}")
    for code, count in sorted(counts.missing.items()):
        summary.add_row(f"  without contact: {code}", f"{count:,}  {commerce_words.missing(code)}")
    for code, count in sorted(counts.reasons.items(), key=lambda item: -item[1]):
        summary.add_row(f"  {code}", f"{count:,}  {words.rejection(code)}")
    if not counts.kept:
        return [summary]
    compared = Table("Figure", "In the file", "In Hongyan", "Why they differ", title="Reconciliation")
    for line in comparison(counts):
        compared.add_row(line.label, line.file, line.kept, line.why)
    return [summary, compared]
