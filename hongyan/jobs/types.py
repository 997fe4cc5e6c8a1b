"""What crosses the border of this room."""

from collections.abc import Set as AbstractSet
from typing import Any, Protocol


class ActorLike(Protocol):
    """``accounts.types.Actor``, seen from below: this room must not import the one above."""

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> int | None: ...
    @property
    def permissions(self) -> AbstractSet[Any]: ...


# Who may edit the settings is an administrator (or the product itself) and sees everybody's jobs.
SEES_ALL_JOBS = "settings.edit"
