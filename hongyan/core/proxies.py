"""Whose request is it? X-Forwarded-For is believed only as far as it was written by proxies the installation names."""

from collections.abc import Collection
from ipaddress import ip_address


def client_ip(remote: str | None, forwarded_for: str, trusted: Collection[str]) -> str | None:
    """The nearest address that is not a trusted proxy; None when the peer has no IP address (a Unix socket).

    >>> client_ip("10.0.0.1", "203.0.113.9, 198.51.100.7", {"10.0.0.1"})
    '198.51.100.7'
    >>> client_ip("198.51.100.7", "203.0.113.9", {"10.0.0.1"})
    '198.51.100.7'
    """
    nearest = _valid(remote)
    # Read from the right: each proxy appends the peer it saw, so everything left of the first stranger may be invented.
    for hop in reversed(forwarded_for.split(",") if forwarded_for else []):
        if nearest not in trusted:
            return nearest
        nearest = _valid(hop) or nearest
    return nearest


def trusted_set(setting: str) -> frozenset[str]:
    return frozenset(part.strip() for part in setting.split(",") if part.strip())


def _valid(text: str | None) -> str | None:
    if not text:
        return None
    try:
        return str(ip_address(text.strip().strip("[]")))
    except ValueError:
        return None
