"""The part of ``hongyan history`` that is about people: how far the copy is, build it anew, check it."""

import json
from dataclasses import asdict
from typing import Any

import typer


def people_status(*, as_json: bool) -> None:
    from hongyan.audience.population.checking import status

    facts = asdict(status())
    facts["passed_at"] = facts["passed_at"] and facts["passed_at"].isoformat(timespec="seconds")
    _show(facts, as_json=as_json)


def people_rebuild(*, as_json: bool) -> None:
    """Exit code 1 when the place of the files refuses, or a worker is writing."""
    from hongyan.audience.population.checking import rebuild
    from hongyan.events.history.errors import HistoryProblem

    try:
        done = rebuild(progress=_shown)
    except HistoryProblem as problem:
        typer.echo(f"people: {problem}", err=True)
        raise typer.Exit(1) from problem
    if done.busy:
        typer.echo("people: a worker is writing them just now; try again in a minute.", err=True)
        raise typer.Exit(1)
    _show({"contacts": done.contacts, "chunks": done.chunks}, as_json=as_json)


def people_verify(*, as_json: bool) -> None:
    """Exit code 1 when something differs."""
    from hongyan.audience.population.checking import verify

    found = verify()
    problems = found.problems if as_json else len(found.problems)
    _show({"contacts": found.contacts, "files": found.files, "problems": problems}, as_json=as_json)
    if found.problems:
        if not as_json:
            for problem in found.problems[:50]:
                typer.echo(f"✗ people: {problem}", err=True)
            typer.echo("  → hongyan history rebuild", err=True)
        raise typer.Exit(1)


def _show(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"people": facts}, ensure_ascii=False))
        return
    for name, value in facts.items():
        typer.echo(f"people {name.replace('_', ' ')}: {value:,}" if type(value) is int else f"people {name}: {value}")


def _shown(done: int, total: int) -> None:
    typer.echo(f"people: chunk {done:,} of {total:,}", err=True)
