"""The command palette's sources: each area registers a provider; the palette asks all of them.

    from hongyan.web.search import SearchHit, provider

    @provider("campaigns", order=30)
    def campaigns(actor: Actor, text: str, limit: int) -> list[SearchHit]: ...

Register in the app's ``ready()`` by importing the module. A provider checks permissions itself (an actor without
the permission gets an empty list) and reads by index: it runs at every keystroke.
"""

from collections.abc import Callable
from dataclasses import dataclass

from hongyan.accounts.types import Actor

Provider = Callable[[Actor, str, int], "list[SearchHit]"]


@dataclass(frozen=True, slots=True)
class SearchHit:
    """kind: group heading shown to people, already translated. detail: a second, quieter line."""

    title: str
    url: str
    kind: str
    icon: str = "arrow-right"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Registered:
    order: int
    name: str
    find: Provider


_providers: dict[str, _Registered] = {}


def provider(name: str, *, order: int = 50) -> Callable[[Provider], Provider]:
    """order: place of the group in the palette, small first. Registering a name again replaces it."""

    def register(find: Provider) -> Provider:
        _providers[name] = _Registered(order, name, find)
        return find

    return register


def find_all(actor: Actor, text: str, *, limit: int = 6) -> list[SearchHit]:
    """Hits of every provider in order; at most ``limit`` from each."""
    hits: list[SearchHit] = []
    for registered in sorted(_providers.values(), key=lambda entry: (entry.order, entry.name)):
        hits.extend(registered.find(actor, text, limit)[:limit])
    return hits
