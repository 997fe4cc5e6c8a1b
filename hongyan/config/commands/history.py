"""``hongyan history``: the columnar copies of events and of people; every command is for both."""

from collections.abc import Callable
from typing import Annotated

import typer

from hongyan.audience.population.command import people_rebuild, people_status, people_verify
from hongyan.events.history.command import history_rebuild, history_status, history_verify

_Json = Annotated[bool, typer.Option("--json", help="Print a JSON object for each of the two")]


def status(as_json: _Json = False) -> None:  # noqa: FBT002
    """How far the columnar copies are."""
    _both(lambda: history_status(as_json), lambda: people_status(as_json=as_json))


def rebuild(as_json: _Json = False) -> None:  # noqa: FBT002
    """Write all files anew from PostgreSQL; until that is done the old ones answer."""
    _both(lambda: history_rebuild(as_json), lambda: people_rebuild(as_json=as_json))


def verify(as_json: _Json = False) -> None:  # noqa: FBT002
    """Compare every file with the rows it was made of; exit code 1 when something differs."""
    _both(lambda: history_verify(as_json), lambda: people_verify(as_json=as_json))


def _both(*acts: Callable[[], None]) -> None:
    """The second also when the first has something to complain of."""
    worst = 0
    for act in acts:
        try:
            act()
        except typer.Exit as ended:
            worst = max(worst, ended.exit_code)
    if worst:
        raise typer.Exit(worst)
