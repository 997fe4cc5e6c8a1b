"""What reaches PostgreSQL when columns answer: also what the engines ask of the driver themselves, past Django."""

from collections.abc import Callable
from typing import Any, Final

import psycopg
import pytest

from hongyan.accounts.permissions import Role
from hongyan.audience.engines import ask
from hongyan.audience.population.writer import copy_pass
from hongyan.events.history import writer
from hongyan.events.history.store import open_store
from tests.audience.test_engines_agree import _own_place
from tests.web_audiences_pages.test_budget import Cast, of_audience
from tests.web_audiences_pages.test_pages import signed_in

__all__ = ["_own_place"]  # the fixture
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement of this process, as the driver sends it."""
    found: list[str] = []

    def noting(act: Callable[..., Any]) -> Callable[..., Any]:
        def noted(cursor: Any, query: Any, *args: Any, **given: Any) -> Any:
            found.append(str(query))
            return act(cursor, query, *args, **given)

        return noted

    for name in ("execute", "copy"):
        monkeypatch.setattr(psycopg.Cursor, name, noting(getattr(psycopg.Cursor, name)))
    return found


# Session, account, roles, organisation and the page itself are eight or nine of these; a moment of the columns costs
# six: who shall answer, what the history and the copy of the people hold, and what is in no file yet.
PAGES: Final = {"audience": 15, "profile": 15, "value": 15, "overlap": 15, "reach": 16}


def test_one_moment_answers_a_whole_tab(sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    cast = Cast()
    monkeypatch.setattr(ask, "FEW_CONTACTS", 0)
    copy_pass()
    with writer.writing() as link:
        assert link is not None
        writer.build(link, open_store())
    client, over = signed_in(Role.ADMINISTRATOR), []
    for name, most in PAGES.items():
        address = of_audience(name)(cast)
        client.get(address)  # what a process learns once
        sent.clear()
        assert client.get(address).status_code == 200
        assert any("audience_populationfile" in text for text in sent), "columns answered"
        if len(sent) > most:
            over.append(f"{name}: {len(sent)} > {most}")
    assert not over
