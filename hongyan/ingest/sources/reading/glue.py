"""dlt inside Hongyan: its readers and its incremental state, without its pipelines, folders and telemetry.

A resource is iterated page by page with a state of our own injected; after each page that state is what dlt would have
kept, and goes into PostgreSQL with the page. Nothing is written to a home or working folder.
"""

import os
from collections.abc import Iterator
from typing import Any

# Read by dlt when it is first imported: no telemetry, no chatter with addresses in it, no bodies in error texts.
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ.setdefault("RUNTIME__LOG_LEVEL", "CRITICAL")
os.environ["RUNTIME__HTTP_SHOW_ERROR_BODY"] = "false"

from dlt.common import json as dlt_json
from dlt.common.configuration.container import Container
from dlt.common.pipeline import StateInjectableContext
from dlt.extract.items_transform import ItemTransform
from dlt.extract.resource import DltResource


class _Whole:
    """A page in one piece; dlt would hand out its records singly, when its state is already behind all of them."""

    def __init__(self, records: list[Any]) -> None:
        self.records = records


class _Wrap(ItemTransform[Any, Any]):
    placement_affinity = 1.5  # behind the incremental step

    def __init__(self) -> None:
        super().__init__(lambda item: item)

    def __call__(self, item: Any, meta: Any = None) -> Any:
        del meta
        if item is None:
            return None
        return _Whole(item if isinstance(item, list) else [item])


def _context(state: dict[str, Any]) -> StateInjectableContext:
    return StateInjectableContext(state=state)  # type: ignore[arg-type]  # a TypedDict that dlt fills as it goes


def pages(resource: DltResource, cursor: str) -> Iterator[tuple[list[Any], str]]:
    """Pages of a resource, each with the cursor behind it; the last is empty. cursor: of an earlier page, or empty."""
    state: dict[str, Any] = dlt_json.typed_loads(cursor) if cursor else {}
    resource.add_step(_Wrap())
    with Container().injectable_context(_context(state)):
        iterator = iter(resource)
    while True:
        # Injected only while dlt works: whoever takes the page may start something else in between.
        with Container().injectable_context(_context(state)):
            whole = next(iterator, None)
        if whole is None:
            yield [], dlt_json.typed_dumps(state)
            return
        yield whole.records, dlt_json.typed_dumps(state)


def cursor_text(cursor: str) -> str:
    """The value reading goes on from, for people; empty when there is none yet."""
    if not cursor:
        return ""
    state: dict[str, Any] = dlt_json.typed_loads(cursor)
    for source in state.get("sources", {}).values():
        for resource in source.get("resources", {}).values():
            for column in resource.get("incremental", {}).values():
                return str(column.get("last_value") or "")
    return ""
