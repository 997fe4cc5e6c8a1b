"""Audiences and people for the lane, and what must be true whenever it has settled."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hongyan.accounts.types import system_actor
from hongyan.audience import rows
from hongyan.audience.models import Following, Member, SavedAudience, current_versions
from hongyan.audience.saved import audience_create
from hongyan.audience.segments import compile_members
from hongyan.core import clock
from hongyan.events.services import append
from hongyan.events.types import NewEvent

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # noon in Shanghai
SYSTEM = system_actor("test")


def audience(name: str, tree: dict[str, Any]) -> SavedAudience:
    return audience_create(actor=SYSTEM, name=name, tree=tree)


def happen(contact_id: int, name: str, at: datetime | None = None, **properties: Any) -> None:
    append([NewEvent(contact_id, name, at or clock.now(), "test", properties)])


def members(of: SavedAudience) -> set[int]:
    return set(Member.objects.filter(audience=of).values_list("contact_id", flat=True))


def meant(tree: Any) -> set[int]:
    asked = compile_members(tree, now=clock.now())
    return {row[0] for row in rows.query(asked.text, asked.params)}


def check_all() -> None:
    """Members are what the definitions mean now; sizes are counted right."""
    for version in current_versions():
        if not Following.objects.filter(audience_id=version.audience_id, live=True).exists():
            continue
        held = members(version.audience)
        assert held == meant(version.tree), (version.audience.name, version.tree)
        assert Following.objects.get(audience_id=version.audience_id).size == len(held)


def later(**parts: float) -> datetime:
    return clock.now() + timedelta(**parts)
