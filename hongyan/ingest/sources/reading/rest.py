"""JSON APIs over HTTP, by dlt's REST source: authentication, paging, one parameter for “only what is new”."""

import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import requests

from hongyan.ingest.sources.errors import SourceFailed, SourceRefused
from hongyan.ingest.sources.reading import glue  # before dlt itself
from hongyan.ingest.sources.reading.base import SAMPLE, Files, Known, columns_of, flat
from hongyan.ingest.sources.reading.network import SourceSession, Wait
from hongyan.ingest.sources.reading.scrub import scrub
from hongyan.ingest.sources.types import Looked, Page

from dlt.extract.exceptions import ResourceExtractionError  # isort: skip
from dlt.sources.rest_api import rest_api_resources  # isort: skip
from dlt.sources.helpers.rest_client.exceptions import PaginatorNotFound  # isort: skip

MAX_PAGES = 100_000
AUTH_KINDS = ("none", "bearer", "api_key", "basic", "oauth2")
PAGING_KINDS = ("auto", "single_page", "page_number", "offset", "cursor", "json_link", "header_link")


class RESTReader:
    """place: base_url, path, params, auth, …; see ``_config``. secrets: secret. wait: how to pause between tries."""

    resumes = False  # nothing says in which order an API answers

    def __init__(self, place: dict[str, Any], secrets: dict[str, str], wait: Wait) -> None:
        self._place, self._secret, self._wait = place, secrets.get("secret", ""), wait
        self._host = _host(place.get("base_url", ""))
        hosts = {self._host}
        if place.get("auth") == "oauth2":
            hosts.add(_host(place.get("token_url", "")))
        self._session = SourceSession(frozenset(hosts), private=bool(place.get("private")), wait=wait)

    def look(self) -> Looked:
        for page in self._read(""):
            records = page.records[:SAMPLE]
            columns = columns_of(page.records)
            growing = [
                name for name in columns if name.lower().endswith(("_at", "updated", "modified", "date", "id", "at"))
            ]
            return Looked(columns, records, [], growing)
        return Looked([], [])

    def pages(self, known: Known, begin_file: Files) -> Iterator[Page]:
        del begin_file
        yield from self._read(known.cursor if self._place.get("cursor") else "")

    def _read(self, cursor: str) -> Iterator[Page]:
        before = b""
        try:
            (resource,) = rest_api_resources(self._config())  # type: ignore[arg-type]
            for count, (raw, state) in enumerate(glue.pages(resource, cursor)):
                digest = hashlib.sha256(repr(raw).encode()).digest() if raw else b""
                if count > MAX_PAGES or (raw and digest == before):
                    raise SourceFailed("pages_repeat", permanent=True)
                before = digest
                # The cursor moves when everything is there: an API may answer in any order.
                last = not raw and self._place.get("cursor")
                yield Page([flat(item) for item in raw], state if last else None)
        except SourceFailed:
            raise
        except (ResourceExtractionError, requests.RequestException, PaginatorNotFound, ValueError, KeyError) as error:
            raise self._failure(error) from None  # the chain would carry the address with its parameters

    def _config(self) -> dict[str, Any]:
        place = self._place
        params: dict[str, Any] = dict(place.get("params") or {})
        if place.get("cursor") and place.get("cursor_param"):
            params[place["cursor_param"]] = {
                "type": "incremental",
                "cursor_path": place["cursor"],
                "initial_value": place.get("initial_value") or None,
                "on_cursor_value_missing": "include",
            }
        endpoint: dict[str, Any] = {"path": place.get("path", "").lstrip("/"), "params": params}
        paging = self._paging()
        if paging is not None:
            endpoint["paginator"] = paging
        if place.get("records_path"):
            endpoint["data_selector"] = place["records_path"]
        client: dict[str, Any] = {"base_url": place["base_url"], "session": self._session}
        if place.get("headers"):
            client["headers"] = dict(place["headers"])
        auth = self._auth()
        if auth is not None:
            client["auth"] = auth
        return {"client": client, "resources": [{"name": "records", "endpoint": endpoint}]}

    def _auth(self) -> dict[str, Any] | None:
        place, secret = self._place, self._secret
        kind = place.get("auth") or "none"
        if kind == "bearer":
            return {"type": "bearer", "token": secret}
        if kind == "api_key":
            where = "query" if place.get("key_in") == "query" else "header"
            return {
                "type": "api_key",
                "name": place.get("key_name") or "X-API-Key",
                "api_key": secret,
                "location": where,
            }
        if kind == "basic":
            return {"type": "http_basic", "username": place.get("username", ""), "password": secret}
        if kind == "oauth2":
            return {
                "type": "oauth2_client_credentials",
                "access_token_url": place.get("token_url", ""),
                "client_id": place.get("username", ""),
                "client_secret": secret,
                "session": self._session,
            }
        return None

    def _paging(self) -> dict[str, Any] | str | None:
        place = self._place
        kind = place.get("paging") or "auto"
        size = int(place.get("page_size") or 100)
        if kind == "page_number":
            return {
                "type": "page_number",
                "base_page": int(place.get("first_page") or 1),
                "page_param": place.get("page_param") or "page",
                "total_path": None,
                "stop_after_empty_page": True,
            }
        if kind == "offset":
            return {
                "type": "offset",
                "limit": size,
                "offset_param": place.get("page_param") or "offset",
                "limit_param": place.get("size_param") or "limit",
                "total_path": None,
                "stop_after_empty_page": True,
            }
        if kind == "cursor":
            return {
                "type": "cursor",
                "cursor_path": place.get("next_path") or "next_cursor",
                "cursor_param": place.get("page_param") or "cursor",
            }
        if kind == "json_link":
            return {"type": "json_link", "next_url_path": place.get("next_path") or "next"}
        return kind if kind in {"single_page", "header_link"} else None

    def _failure(self, error: Exception) -> SourceFailed:
        cause = _cause(error)
        if isinstance(cause, SourceFailed):
            return cause
        detail = scrub(str(cause), [self._secret])
        answer = getattr(cause, "response", None)
        status = getattr(answer, "status_code", None)
        if status in {401, 403}:
            return SourceFailed("login_refused", f"HTTP {status}", permanent=True)
        if status == 404:
            return SourceFailed("path_missing", "HTTP 404", permanent=True)
        if status == 429:
            return SourceFailed("too_many_requests", "HTTP 429")
        if status is not None:
            return SourceFailed("server_error" if status >= 500 else "request_refused", f"HTTP {status}")
        if isinstance(cause, requests.exceptions.SSLError):
            return SourceFailed("certificate_bad", self._host, permanent=True)
        if isinstance(cause, requests.exceptions.JSONDecodeError):
            return SourceFailed("not_json", permanent=True)
        if isinstance(cause, requests.RequestException):
            return SourceFailed("cannot_connect", self._host)
        return SourceFailed("answer_unexpected", f"{type(cause).__name__}: {detail}"[:200])


def _cause(error: BaseException) -> BaseException:
    """What lies under dlt's wrapping."""
    seen = error
    while True:
        inner = seen.__cause__ or seen.__context__
        if isinstance(seen, (SourceFailed, requests.RequestException)) or inner is None:
            return seen
        seen = inner


def _host(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.password:
        raise SourceRefused("address_malformed")
    return parts.hostname
