"""Calls out of quarantine, as they are or mended, take the same way as those out of the inbox."""

from datetime import UTC, datetime

import orjson

from hongyan.accounts.types import Actor
from hongyan.ingest.intake.calls import moment
from hongyan.ingest.intake.lane import QUARANTINE_KIND, process, read_call, without_nul
from hongyan.ingest.intake.work import Item, Sender
from hongyan.ingest.models_intake import WriteKey
from hongyan.ingest.quarantine import QuarantineItem, Trouble, register_retrier


def retry(actor: Actor, waiting: QuarantineItem) -> Trouble | None:
    del actor  # checked by the quarantine
    try:
        kept = orjson.loads(waiting.payload)
        raw, kind, key_id = kept["call"], kept["kind"], kept["key"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return Trouble("not_json")
    row = WriteKey.objects.filter(pk=key_id if isinstance(key_id, int) else 0, key=waiting.source).first()
    if row is None:
        return Trouble("key_unknown", "/key")
    sender = Sender(row.pk, row.key, browser=row.kind == WriteKey.Kind.BROWSER, kind=row.kind)
    received_at = moment(kept.get("received_at")) or datetime.now(tz=UTC)
    item = read_call(sender, without_nul(raw), kind if isinstance(kind, str) else "", received_at, None)
    if not isinstance(item, Item):
        return item.trouble
    process([item], [], keep_troubles=False)
    return item.troubles[0] if item.troubles else None


def register() -> None:
    register_retrier(QUARANTINE_KIND, retry)
