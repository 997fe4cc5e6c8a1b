"""What client libraries say around an event, under the names by which conditions and the tracking plan know it.

Segment's spec nests it (``context.campaign.name``); kept that way no condition could ask for it. Pure.
"""

from collections.abc import Mapping
from typing import Any, Final

_PARTS: Final[Mapping[str, Mapping[str, str]]] = {
    "campaign": {
        "name": "utm_campaign",
        "source": "utm_source",
        "medium": "utm_medium",
        "term": "utm_term",
        "content": "utm_content",
    },
    "page": {
        "url": "page_url",
        "path": "page_path",
        "referrer": "page_referrer",
        "title": "page_title",
        "search": "page_search",
    },
    "app": {"name": "app_name", "version": "app_version"},
    "device": {"type": "device_type"},
    "os": {"name": "os_name"},
}
_PLAIN: Final = frozenset({"locale", "timezone"})
# On a call about a page these are the properties of the call itself; some libraries say them only around it.
_OWN_PAGE: Final[Mapping[str, str]] = {name: name for name in _PARTS["page"]}

KEYS: Final = _PLAIN.union(*(names.values() for names in _PARTS.values()))
# Different on nearly every event: worth a column of the history only to those who ask.
ADDRESSES: Final = frozenset({"page_url", "page_referrer", "page_title", "page_search"})


def spread(context: Mapping[str, Any], *, of_page: bool) -> dict[str, Any]:
    """Texts only, empty ones left out; agents and addresses of networks never. of_page: the call is about a page."""
    found: dict[str, Any] = {}
    for part, inner in context.items():
        names = _PARTS.get(part)
        if names is None:
            if part in _PLAIN and isinstance(inner, str) and inner:
                found[part] = inner
            continue
        if not isinstance(inner, dict):
            continue
        if of_page and part == "page":
            names = _OWN_PAGE
        for name, key in names.items():
            value = inner.get(name)
            if isinstance(value, str) and value:
                found[key] = value
    return found
