"""A caller with a key, as a program would be one."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from hongyan.accounts.api_keys import api_key_create
from hongyan.accounts.permissions import Permission
from tests.accounts.factory import person


@dataclass
class Caller:
    secret: str
    language: str = "en"

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        status: int = 200,
        language: str = "",
        key: str = "",
        files: dict[str, Any] | None = None,
    ) -> Any:
        """The JSON answered; the status is checked."""
        response = self.send(method, path, body, language=language, key=key, files=files)
        assert response.status_code == status, response.content.decode()
        if status >= 400:
            assert response["Content-Type"] == "application/problem+json"
            assert response.json()["status"] == status
        return response.json()

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        language: str = "",
        key: str = "",
        files: dict[str, Any] | None = None,
    ) -> Any:
        headers = {"accept-language": language or self.language}
        if self.secret:
            headers["authorization"] = f"Bearer {self.secret}"
        if key:
            headers["idempotency-key"] = key
        client = Client(headers=headers, raise_request_exception=False)
        if files is not None:
            return client.post(f"/api/v1{path}", files)
        data = "" if body is None else json.dumps(body)
        return client.generic(method, f"/api/v1{path}", data=data, content_type="application/json")


NewCaller = Callable[[Iterable[Permission]], Caller]


@pytest.fixture
def caller_with(db: None) -> NewCaller:
    boss = person("ada")

    def make(scopes: Iterable[Permission]) -> Caller:
        return Caller(api_key_create(actor=boss.actor, name="Shop", scopes=list(scopes)).secret)

    return make


@pytest.fixture
def caller(caller_with: NewCaller) -> Caller:
    """One that may everything a program may."""
    from hongyan.accounts.api_keys import GRANTABLE

    return caller_with(GRANTABLE)
