"""HTTP for sources: addresses checked when connecting, answers bounded, patient with 429 and 5xx.

A name is resolved once and the connection goes to the address that was checked, so a name that answers differently
the second time (DNS rebinding) gains nothing; redirects pass the same check. Addresses of this machine and of private
networks are reached only when an administrator allowed it for the source; those where clouds keep their credentials
(link-local ones and a few others) never.
"""

import ipaddress
import socket
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.poolmanager import PoolManager

from hongyan.core.clock import now
from hongyan.ingest.sources.errors import SourceFailed

MAX_ANSWER_BYTES = 64 << 20
TIMEOUT_S = (10.0, 60.0)  # to connect, between two packets
TRIES = 4
LONGEST_WAIT_S = 60.0
_AGAIN = frozenset({429, 500, 502, 503, 504})
Wait = Callable[[float], None]
# Services with a machine's credentials that are not link-local: Alibaba Cloud, AWS over IPv6, Oracle Cloud, Azure.
_METADATA = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "fd00:ec2::254", "192.0.0.192", "168.63.129.16")))


def allowed_address(host: str, port: int, *, private: bool) -> str:
    """The address to connect to. Raises SourceFailed for one that must not be reached."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise SourceFailed("host_unknown", host[:120]) from error
    addresses = [str(item[4][0]) for item in found]
    for address in addresses:
        if not _may_reach(address, private=private):
            raise SourceFailed("address_private", host[:120], permanent=True)
    return addresses[0]


def _may_reach(text: str, *, private: bool) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.sixtofour is not None or address.teredo is not None:
            return False  # tunnels with an address of version 4 inside
        address = address.ipv4_mapped or address
    if (
        address in _METADATA
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
    ):
        return False
    return private or address.is_global


class _Guard:
    """Puts the checked address where urllib3 would resolve the name again; TLS still sees the name."""

    private = False
    _dns_host: str
    port: int

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        self._dns_host = allowed_address(name, self.port, private=self.private)
        try:
            connected: socket.socket = super()._new_conn()  # type: ignore[misc]
        finally:
            self._dns_host = name
        return connected


class _Http(_Guard, HTTPConnection):
    pass


class _Https(_Guard, HTTPSConnection):
    pass


class _HttpPrivate(_Guard, HTTPConnection):
    private = True


class _HttpsPrivate(_Guard, HTTPSConnection):
    private = True


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class _HttpPoolPrivate(HTTPConnectionPool):
    ConnectionCls = _HttpPrivate


class _HttpsPoolPrivate(HTTPSConnectionPool):
    ConnectionCls = _HttpsPrivate


class PatientAdapter(HTTPAdapter):
    def __init__(self, *, private: bool, wait: Wait) -> None:
        self._private, self._wait = private, wait
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:  # noqa: FBT001, FBT002
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **kwargs)
        self.poolmanager.pool_classes_by_scheme = (
            {"http": _HttpPoolPrivate, "https": _HttpsPoolPrivate}
            if self._private
            else {"http": _HttpPool, "https": _HttpsPool}
        )

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["stream"] = True
        attempt = 1
        while True:
            answer = self._once(request, *args, last=attempt == TRIES, **kwargs)
            if answer is not None and (answer.status_code not in _AGAIN or attempt == TRIES):
                return answer
            self._wait(_pause(answer, attempt))
            attempt += 1

    def _once(
        self, request: requests.PreparedRequest, *args: Any, last: bool, **kwargs: Any
    ) -> requests.Response | None:
        """None: the connection broke and another try is worth it."""
        try:
            answer = super().send(request, *args, **kwargs)
            _read(answer)
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            if last or isinstance(_root(error), NewConnectionError):
                raise
            return None
        return answer


def _root(error: Exception) -> object:
    inner = error.args[0] if error.args else None
    return getattr(inner, "reason", inner)


def _read(answer: requests.Response) -> None:
    """The whole body, so that retries and hooks see a finished answer; a body without end is refused."""
    body = bytearray()
    for block in answer.iter_content(1 << 16):
        body += block
        if len(body) > MAX_ANSWER_BYTES:
            answer.close()
            raise SourceFailed("answer_too_large", permanent=True)
    answer._content = bytes(body)  # noqa: SLF001 - as requests itself fills it  # type: ignore[attr-defined]


def _pause(answer: requests.Response | None, attempt: int) -> float:
    asked: str = answer.headers.get("Retry-After", "") if answer is not None else ""
    if asked.isascii() and asked.isdigit():
        return min(float(asked), LONGEST_WAIT_S)
    if asked:
        try:
            left: float = (parsedate_to_datetime(asked) - now()).total_seconds()
            return min(max(0.0, left), LONGEST_WAIT_S)
        except (TypeError, ValueError):
            pass
    return min(0.5 * float(2**attempt), LONGEST_WAIT_S)


class SourceSession(requests.Session):
    """Speaks with the hosts it is told, and with no other: a page that links elsewhere would carry our token there."""

    def __init__(self, hosts: frozenset[str], *, private: bool, wait: Wait = time.sleep) -> None:
        super().__init__()
        self._hosts = hosts
        self.trust_env = False  # neither proxies nor .netrc of the server
        self.max_redirects = 3
        self.headers["User-Agent"] = "Hongyan"
        adapter = PatientAdapter(private=private, wait=wait)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        if (urlsplit(request.url or "").hostname or "") not in self._hosts:
            raise SourceFailed("host_changed", permanent=True)
        kwargs.setdefault("timeout", TIMEOUT_S)
        return super().send(request, **kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> "SourceSession":
        """dlt copies a configuration to check it; connections are not copied."""
        del memo
        return self
