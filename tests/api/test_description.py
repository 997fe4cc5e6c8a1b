"""The description of the API: valid, true, and readable in a browser under our content policy."""

import json
from typing import Any, cast
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate
from playwright.sync_api import expect

from hongyan.api.app import api
from tests.api.conftest import Caller
from tests.browser import OpenPage


def described() -> Any:
    return json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), default=str))


def test_the_document_is_valid_and_every_call_has_a_summary() -> None:
    document = described()
    validate(document)
    calls = [call for path in document["paths"].values() for call in path.values()]
    assert len(calls) > 30
    assert all(call["summary"] and call["tags"] for call in calls)
    assert len({call["operationId"] for call in calls}) == len(calls)
    assert not [
        path for path, call in document["paths"].items() if "delete" in call and "requestBody" in call["delete"]
    ]


@pytest.mark.browser
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_page_shows_it(open_page: OpenPage, language: str) -> None:
    """Fails too when the content policy refuses something of the page."""
    page = open_page("/api/v1/docs", role=None, language=language)
    expect(page.locator(".swagger-ui .info")).to_contain_text("Hongyan")
    expect(page.locator(".opblock").nth(20)).to_be_visible()
    page.locator(".opblock-summary").first.click()
    expect(page.locator(".opblock-body").first).to_be_visible()


@pytest.mark.django_db
def test_nothing_a_caller_can_send_breaks_it(caller: Caller) -> None:
    """Made-up requests for every call: none may end in a fault, and every refusal is a problem."""
    schema = schemathesis.openapi.from_dict(described())
    seen = 0

    for result in schema.get_all_operations():
        operation: Any = cast("Any", result).ok()
        if "multipart/form-data" in str(operation.definition.raw.get("requestBody", "")):
            continue  # files have tests of their own
        if operation.path.endswith("rejected.csv"):
            continue

        @settings(max_examples=4, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def one(case: Any) -> None:
            body = None if case.body is schemathesis.core.NOT_SET else case.body
            path = case.formatted_path.removeprefix("/api/v1")
            query = urlencode(case.query or {}, doseq=True)
            answer = caller.send(case.method, f"{path}?{query}", body)
            assert answer.status_code < 500, (case.method, case.formatted_path)
            if answer.status_code >= 400 and answer.status_code != 404:
                assert answer["Content-Type"] == "application/problem+json", (answer.status_code, case.formatted_path)

        one()
        seen += 1
    assert seen > 25
