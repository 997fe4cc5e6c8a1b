"""A stage or tier that is to go and is still named somewhere: what names it, and what takes its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest

from hongyan.audience.errors import InUse
from hongyan.audience.types import Use

_PREFIX: Final = "replace-"


@dataclass(frozen=True, slots=True)
class Going:
    """One that is to go. chosen: what takes its place; stuck: what the last attempt could not change."""

    key: str
    name: str
    contacts: int
    uses: Sequence[Use]
    chosen: str
    stuck: bool


@dataclass(frozen=True, slots=True)
class Replacing:
    going: Sequence[Going]
    choices: Sequence[tuple[str, str]]
    hidden: Mapping[str, str]  # what else the form said

    @property
    def stuck(self) -> bool:
        return any(one.stuck for one in self.going)

    @classmethod
    def of(
        cls,
        request: HttpRequest,
        error: InUse,
        *,
        names: Mapping[str, str],
        sizes: Mapping[str, int],
        choices: Sequence[tuple[str, str]],
        likely: Mapping[str, str] | None = None,
        hidden: Mapping[str, str] | None = None,
    ) -> "Replacing":
        """likely: what is offered first, where there is something."""
        asked, offered = replacements(request), dict(choices)
        going = []
        for key, uses in error.by_key.items():
            chosen = asked.get(key) or (likely or {}).get(key, "")
            going.append(
                Going(
                    key,
                    names.get(key, key),
                    sizes.get(key, 0),
                    uses,
                    chosen if chosen in offered else "",
                    asked.get(key, "") in offered,
                )
            )
        return cls(going, choices, hidden or {})


def replacements(request: HttpRequest) -> dict[str, str]:
    """Old key → the one in its place, as far as one was chosen."""
    data: Any = request.POST
    return {
        name.removeprefix(_PREFIX): value for name, value in data.items() if name.startswith(_PREFIX) and value.strip()
    }
