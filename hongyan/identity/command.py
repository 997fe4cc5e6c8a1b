"""``hongyan identity run`` and ``hongyan identity explain A B``."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from hongyan.accounts.types import system_actor

_out, _err = Console(), Console(stderr=True)


def identity_run(
    full: Annotated[bool, typer.Option("--full", help="All contacts with fresh weights, not only new ones")] = False,  # noqa: FBT002
    precision: Annotated[float, typer.Option(help="Share of merges without asking that should be right")] = 0.99,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object")] = False,  # noqa: FBT002
) -> None:
    """Find contacts that are one person: merge the sure ones, queue the doubtful ones for review."""
    from hongyan.identity.runs import run_full, run_incremental

    if not 0.5 <= precision < 1:
        _fail("--precision is a share from 0.5 to below 1.")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=_err) as progress:
        task = progress.add_task("reading", total=None)

        def advance(done: int, total: int | None, step: str) -> None:
            progress.update(task, completed=done, total=total, description=step)

        actor = system_actor("command line")
        if full:
            run = run_full(actor=actor, progress=advance, precision=precision)
        else:
            run = run_incremental(actor=actor, progress=advance)
    facts = {
        "run": str(run.public_id),
        "kind": run.kind,
        "seconds": run.seconds,
        "merge_from": round(run.merge_threshold, 4),
        "review_from": round(run.review_threshold, 4),
        **run.counts,
    }
    if as_json:
        typer.echo(json.dumps(facts))
        return
    table = Table(show_header=False)
    for name, value in facts.items():
        table.add_row(name.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value))
    _out.print(table)


def identity_explain(
    first: Annotated[str, typer.Argument(help="Contact id, or the row id it had in an imported file")],
    second: Annotated[str, typer.Argument(help="The other one")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object")] = False,  # noqa: FBT002
) -> None:
    """Why two records are, or are not, one person: what every comparison said and how much it weighs."""
    from hongyan.contacts.errors import ContactNotFound
    from hongyan.identity.explain_pair import AmbiguousRow, explain_pair

    actor = system_actor("command line")
    try:
        found = explain_pair(actor=actor, first=first, second=second)
    except ContactNotFound:
        _fail("There is no such contact or row.")
    except AmbiguousRow:
        _fail("Several files have a row with this id; give the contact id.")
    if as_json:
        typer.echo(json.dumps(found.dump()))
        return
    _show(found)


def _show(found: Any) -> None:
    from hongyan.identity import words

    if found.merged:
        _out.print(words.merged_already())
    table = Table()
    for title in words.columns():
        table.add_column(title)
    table.add_row(words.before(), "", f"{found.start:+.1f}", "")
    for finding in found.findings:
        what, level = words.evidence(finding.comparison, finding.level)
        table.add_row(what, level, f"{finding.weight:+.1f}", words.strength(finding.weight))
    _out.print(table)
    _out.print(words.verdict(found.weight, found.probability, found.merge, found.review))
    if found.guard and found.probability >= found.review:
        _out.print(words.held_back(found.guard))


def _fail(message: str) -> Any:
    _err.print(f"[red]{message}[/red]")
    raise typer.Exit(2)
