"""Job shells: files of orders and products, shops' messages and their past."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from hongyan.commerce import words
from hongyan.commerce.errors import ShopRefused
from hongyan.commerce.messages import messages_forget
from hongyan.ingest.commerce.backfill import backfill_run
from hongyan.ingest.commerce.inbox import KIND, retry_message
from hongyan.ingest.commerce.runner import order_import_dry, order_import_run
from hongyan.ingest.endings import closing, failing
from hongyan.ingest.quarantine import register_retrier
from hongyan.jobs.errors import JobFailed
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import job_kind, periodic

register_retrier(KIND, retry_message)


@job_kind("order_import", title=_("Import of orders"), resumable=True, max_attempts=20)
def run_order_import(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    import_id = params["import_id"]
    with closing(import_id):
        counts = order_import_run(import_id, handle.advance)
    handle.advance(counts.rows, counts.rows)
    return {"created": counts.created, "updated": counts.updated, "rejected": counts.rejected}


@job_kind("order_import_dry_run", title=_("Trial run of an import of orders"), resumable=True)
def run_order_import_dry(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    with failing():
        counts = order_import_dry(params["import_id"], handle.advance)
    return {"rows": counts.rows}


@job_kind("shop_backfill", title=_("Fetching a shop's past"), resumable=True, max_attempts=50)
def run_backfill(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    try:
        return backfill_run(params["shop_id"], handle.advance)
    except ShopRefused as refused:
        raise JobFailed(refused.code, words.problem(refused.code)) from refused


@periodic(cron="41 3 * * *", name="commerce.forget_messages")
def forget_messages() -> None:
    """What shops sent is people's data; a week is enough to look into a fault."""
    messages_forget()
