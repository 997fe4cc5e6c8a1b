"""Properties that must not lie in the open: what the tracking plan marks, and what gives itself away.

Dropped ones leave no trace; sealed ones stand as ``{"$sealed": "…"}``, so that counts and presence still work.
"""

import base64
import re
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from hongyan.core.crypto.keyring import keyring
from hongyan.events.models_catalogue import EventProperty

SEALED: Final = "$sealed"
_OWNER = -1  # facts have no number yet when they are sealed
_FRESH_S = 5.0
Handling = EventProperty.Handling

# Names that say what they hold, in snake case without separators. Nobody should have to mark these first.
_SEAL: Final = frozenset(
    """
    email emailaddress mail phone phonenumber mobile mobilephone tel telephone firstname lastname fullname
    givenname familyname surname realname birthday birthdate dateofbirth street streetaddress address1 address2
    idnumber idcard idcardnumber passport passportnumber ssn taxid ip ipaddress wechat wechatid openid unionid
    contactname recipientname receivername
    """.split()  # noqa: SIM905  a list of words
)
_DROP: Final = frozenset(
    "password passwd pwd secret token accesstoken apikey cardnumber creditcard creditcardnumber cvv cvc pin".split()  # noqa: SIM905
)
_MAIL = re.compile(r"[^\s@<>\"',;=&?/#]+(?:@|%40)[^\s@<>\"',;=&?/#]+\.[^\s@<>\"',;=&?/#]+")
_ADDRESSES = frozenset({"url", "referrer", "search", "path", "href"}) | {
    "page_url", "page_referrer", "page_search", "page_path"
}  # fmt: skip
Rules = Mapping[str, Mapping[str, str]]


class _Cache:
    rules: Rules = {}
    read_at = float("-inf")


def rules() -> Rules:
    """Event name → property → handling, as this process last read them (seconds ago)."""
    if time.monotonic() - _Cache.read_at > _FRESH_S:
        found: dict[str, dict[str, str]] = {}
        marked = EventProperty.objects.exclude(handling=Handling.AUTO).values_list("event__name", "key", "handling")
        for name, key, handling in marked:
            found.setdefault(name, {})[key] = handling
        _Cache.rules, _Cache.read_at = found, time.monotonic()
    return _Cache.rules


def forget_rules() -> None:
    """After the plan was changed here, and between tests."""
    _Cache.read_at = float("-inf")


def cleaned(properties: Mapping[str, Any], marked: Mapping[str, str]) -> dict[str, Any]:
    """What may be stored. marked: handling by property; "open" says that a telling name is harmless here."""
    found: dict[str, Any] = {}
    for key, value in properties.items():
        handling = marked.get(key) or telling(key)
        if handling == Handling.DROP:
            continue
        if handling == Handling.SEAL:
            found[key] = seal(value)
        elif handling == Handling.OPEN:
            found[key] = value
        elif isinstance(value, str):
            found[key] = _text(key, value)
        elif isinstance(value, dict | list):
            found[key] = _inner(value)
        else:
            found[key] = value
    return found


def seal(value: Any) -> dict[str, str]:
    return {SEALED: base64.b64encode(keyring().records.seal(orjson.dumps(value), owner_id=_OWNER)).decode()}


def is_sealed(value: Any) -> bool:
    return isinstance(value, dict) and SEALED in value and len(value) == 1


def opened(value: Mapping[str, str]) -> Any:
    """The caller has checked that the reader may see identities."""
    return orjson.loads(keyring().records.open(base64.b64decode(value[SEALED]), owner_id=_OWNER))


@lru_cache(maxsize=16_384)
def telling(key: str) -> str:
    """How a property is handled for its name alone; "" when the name gives nothing away."""
    plain = key.replace("_", "").replace("-", "").replace(" ", "").lower()
    if plain in _DROP:
        return Handling.DROP
    return Handling.SEAL if plain in _SEAL else Handling.AUTO


def _text(key: str, value: str) -> Any:
    if "@" not in value and "%40" not in value:
        return value
    if key in _ADDRESSES or value.startswith(("http://", "https://", "/", "?")):
        return _MAIL.sub("…", value)
    return seal(value) if _MAIL.search(value) else value


def _inner(value: Any) -> Any:
    """Inside objects and lists only names and addresses that give themselves away are looked for."""
    if isinstance(value, dict):
        return cleaned(value, {})
    if isinstance(value, list):
        return [_inner(item) for item in value]
    return _text("", value) if isinstance(value, str) else value
