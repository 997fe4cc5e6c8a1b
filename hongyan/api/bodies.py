"""What callers send. A name we do not know is refused with its place: it is a misspelling, not something to drop."""

from typing import Any

from ninja import Schema
from pydantic import ConfigDict, field_validator
from pydantic_core import PydanticCustomError


class Body(Schema):
    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="after")
    @classmethod
    def _no_nul(cls, value: Any) -> Any:
        """PostgreSQL keeps no NUL in a text: said at its place rather than failing further in."""
        if holds_nul(value):
            raise PydanticCustomError("nul", "holds a NUL character")
        return value


def holds_nul(value: object) -> bool:
    """Anywhere in what JSON can say."""
    match value:
        case str():
            return "\x00" in value
        case dict():
            return any(holds_nul(part) for pair in value.items() for part in pair)
        case list() | tuple():
            return any(map(holds_nul, value))
        case _:
            return False
