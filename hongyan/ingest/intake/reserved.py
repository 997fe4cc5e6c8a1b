"""Names that not every key may send."""

from typing import Any, Final

from hongyan.events.names import EmailEvent, canonical
from hongyan.ingest.models_intake import WriteKey
from hongyan.ingest.quarantine import Trouble

_MAIL_EVENTS: Final = frozenset(EmailEvent)


def reserved(call: dict[str, Any], key_kind: str) -> Trouble | None:
    """Anybody can read a browser's key; nobody shall open mails with it."""
    if key_kind == WriteKey.Kind.BROWSER and "event" in call and canonical(str(call["event"])) in _MAIL_EVENTS:
        return Trouble("event_reserved", "/event")
    return None
