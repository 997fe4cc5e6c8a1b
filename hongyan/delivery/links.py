"""Tokens in links: opaque, unforgeable, without personal data, valid for good.

One token a message (purpose ``m``: id and month) serves all its links; the rest of the path says which. Click targets
are never in the address: they are looked up in the content version by index, or signed themselves when a merge field
made them (purpose ``d``), so there is no open redirect. Message-ID (``i``) and envelope sender (``b``) travel further
than the links do, so they carry tokens of their own that open nothing.
"""

import struct
from datetime import date

from hongyan.core.crypto.keyring import keyring
from hongyan.core.crypto.tokens import TokenRefused
from hongyan.delivery.errors import LinkRefused
from hongyan.delivery.types import MessageKey

_PAYLOAD = struct.Struct(">QH")  # message id; months since January 2000
_MAX_URL = 1500


def message_token(key: MessageKey) -> str:
    """31 characters."""
    return keyring().signer.sign("m", _pack(key))


def read_message_token(token: str) -> MessageKey:
    """Raises LinkRefused."""
    return _read("m", token)


def dynamic_token(key: MessageKey, url: str) -> str:
    """A click whose target a merge field made: the message and the address itself."""
    return keyring().signer.sign("d", _pack(key) + url.encode())


def read_dynamic_token(token: str) -> tuple[MessageKey, str]:
    """Message and address. Raises LinkRefused."""
    try:
        raw = keyring().signer.unsign("d", token)
        return _key(raw[: _PAYLOAD.size]), raw[_PAYLOAD.size :].decode()
    except (TokenRefused, UnicodeDecodeError) as error:
        raise LinkRefused from error


class MessageLinks:
    """Content's ``LinkMaker`` for one message: every address of it, from one signature."""

    __slots__ = ("_base", "_key", "_token", "tracks_clicks", "tracks_opens")

    def __init__(self, key: MessageKey, *, base_url: str, tracks_clicks: bool, tracks_opens: bool) -> None:
        """tracks_clicks, tracks_opens: what this person agreed to."""
        self._key, self._base, self._token = key, base_url, message_token(key)
        self.tracks_clicks, self.tracks_opens = tracks_clicks, tracks_opens

    def click_start(self) -> str:
        return f"{self._base}/c/{self._token}/"

    def dynamic_click_url(self, url: str) -> str:
        """Addresses too long for a token stay as they are: untracked beats broken."""
        if len(url.encode()) > _MAX_URL:
            return url
        return f"{self._base}/d/{dynamic_token(self._key, url)}"

    def open_pixel_url(self) -> str | None:
        return f"{self._base}/o/{self._token}.gif" if self.tracks_opens else None

    def unsubscribe_url(self) -> str:
        return f"{self._base}/u/{self._token}"

    def preferences_url(self) -> str:
        return f"{self._base}/p/{self._token}"

    def view_url(self) -> str:
        return f"{self._base}/v/{self._token}"


def message_id_header(key: MessageKey, domain: str) -> str:
    """Message-ID without brackets: ours, unique, the same in every attempt, nothing personal in it."""
    return f"{keyring().signer.sign('i', _pack(key))}@{domain}"


def read_message_id_header(value: str) -> MessageKey:
    """From a Message-ID, References or In-Reply-To value. Raises LinkRefused."""
    return _read("i", value.strip().strip("<>").partition("@")[0])


def bounce_address(key: MessageKey, domain: str) -> str:
    """Envelope sender that brings later bounces home (VERP with a MAC)."""
    return f"bounce+{keyring().signer.sign('b', _pack(key))}@{domain}"


def read_bounce_address(address: str) -> MessageKey:
    """Raises LinkRefused. Mail servers may fold the local part's case: such an address is refused, and the Message-ID
    in the report serves instead."""
    return _read("b", address.strip().strip("<>").partition("@")[0].removeprefix("bounce+"))


def _read(purpose: str, token: str) -> MessageKey:
    try:
        return _key(keyring().signer.unsign(purpose, token))
    except TokenRefused as error:
        raise LinkRefused from error


def _pack(key: MessageKey) -> bytes:
    return _PAYLOAD.pack(key.id, (key.month.year - 2000) * 12 + key.month.month - 1)


def _key(raw: bytes) -> MessageKey:
    if len(raw) != _PAYLOAD.size:
        raise LinkRefused
    number, months = _PAYLOAD.unpack(raw)
    return MessageKey(number, date(2000 + months // 12, months % 12 + 1, 1))
