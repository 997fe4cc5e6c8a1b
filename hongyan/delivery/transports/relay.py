"""Where mail goes: the relay's address and rules, read from ``HONGYAN_SMTP_URL``."""

import ssl
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings

from hongyan.delivery.errors import TransportProblem

TLSMode = Literal["offered", "required", "implicit", "none"]


@dataclass(frozen=True, slots=True)
class Relay:
    """tls: ``offered`` takes STARTTLS when it is announced, ``required`` insists, ``implicit`` is TLS from the start.

    ca_file: trust this authority instead of the system's. Time-outs in seconds, after RFC 5321 §4.5.3.2 but shorter:
    a relay is near. mails_per_connection: then a fresh connection, so that load spreads over a relay's machines.
    """

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    tls: TLSMode = "offered"
    ca_file: str = ""
    ehlo_name: str = "localhost"
    connect_timeout_s: float = 30
    command_timeout_s: float = 120
    data_timeout_s: float = 300
    mails_per_connection: int = 1000

    @classmethod
    def from_url(cls, url: str, *, ehlo_name: str) -> "Relay":
        """``smtp://user:password@host:587?tls=required``, ``smtps://host``. Raises TransportProblem."""
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise TransportProblem(
                "HONGYAN_SMTP_URL must look like smtp://host:port or smtps://host:port", permanent=True
            )
        query = parse_qs(parts.query)
        implicit = parts.scheme == "smtps"
        mode = query.get("tls", ["offered"])[0]
        if mode not in {"offered", "required", "none"}:
            raise TransportProblem("tls in HONGYAN_SMTP_URL is offered, required or none", permanent=True)
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if implicit else 25),
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls="implicit" if implicit else mode,  # type: ignore[arg-type]  # checked above
            ca_file=query.get("ca", [""])[0],
            ehlo_name=ehlo_name,
        )

    @classmethod
    def configured(cls) -> "Relay":
        """The relay of this installation; without one, the local catcher."""
        name = settings.HONGYAN_MAIL_DOMAIN
        if settings.HONGYAN_SMTP_URL:
            return cls.from_url(settings.HONGYAN_SMTP_URL, ehlo_name=name)
        return cls(host="127.0.0.1", port=settings.HONGYAN_CATCHER_PORT, tls="none", ehlo_name=name)

    def tls_context(self) -> ssl.SSLContext:
        """TLS 1.2 at least, certificate and name checked."""
        context = ssl.create_default_context(cafile=self.ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
