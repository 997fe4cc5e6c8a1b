"""``hongyan history status``, ``rebuild`` and ``verify``."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

_out, _err = Console(), Console(stderr=True)
_JSON = typer.Option("--json", help="Print one JSON object")


def history_status(as_json: Annotated[bool, _JSON] = False) -> None:  # noqa: FBT002
    """How far the columnar copy of events is."""
    from hongyan.events.history.selectors import status

    facts = asdict(status())
    facts["writer_at"] = facts["writer_at"] and facts["writer_at"].isoformat(timespec="seconds")
    _show(facts, as_json=as_json)


def history_rebuild(as_json: Annotated[bool, _JSON] = False) -> None:  # noqa: FBT002
    """Write all files anew from PostgreSQL; until that is done the old ones answer."""
    from hongyan.events.history.store import open_store
    from hongyan.events.history.writer import build, writing

    with writing() as connection, _bar("writing files") as advance:
        if connection is None:
            _err.print("[red]✗[/] A worker is writing the history just now; try again in a minute.")
            raise typer.Exit(1)
        events = build(connection, open_store(), progress=advance)
    _show({"events": events}, as_json=as_json)


def history_verify(as_json: Annotated[bool, _JSON] = False) -> None:  # noqa: FBT002
    """Compare every file with the rows it was made of; exit code 1 when something differs."""
    from django.db import connections

    from hongyan.events.history.store import open_store
    from hongyan.events.history.verify import verify

    made = connections.create_connection("default")
    try:
        made.ensure_connection()
        with _bar("comparing") as advance:
            found = verify(made.connection, open_store(), progress=advance)
    finally:
        made.close()
    facts: dict[str, Any] = {"files": found.files, "events": found.events, "skipped_cells": found.skipped}
    facts["faults"] = len(found.faults)
    if as_json:
        facts["faults"] = [{**asdict(fault), "month": f"{fault.month:%Y-%m}"} for fault in found.faults]
    _show(facts, as_json=as_json)
    if not as_json:
        for fault in found.faults[:50]:
            _err.print(f"[red]✗[/] {fault.month:%Y-%m} {fault.name}: {fault.code} {fault.detail}", highlight=False)
    if found.faults:
        if not as_json:
            _err.print("  → hongyan history rebuild")
        raise typer.Exit(1)


class _bar:  # noqa: N801  used as a function
    """A progress bar of rows on standard error."""

    def __init__(self, words: str) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=_err
        )
        self._task = self._progress.add_task(words, total=None)

    def __enter__(self) -> Any:
        self._progress.start()
        return lambda done, total: self._progress.update(self._task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def _show(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(facts))
        return
    table = Table(show_header=False)
    for name, value in facts.items():
        plain = isinstance(value, int) and not isinstance(value, bool)
        table.add_row(name.replace("_", " "), f"{value:,}" if plain else str(value))
    _out.print(table)
