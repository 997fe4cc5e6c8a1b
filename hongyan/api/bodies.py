"""What callers send. A name we do not know is refused with its place: it is a misspelling, not something to drop."""

from ninja import Schema
from pydantic import ConfigDict


class Body(Schema):
    model_config = ConfigDict(extra="forbid")
