"""For monitors: /health/ says whether the parts live, /metrics gives figures to Prometheus. Neither names anybody."""

import hmac
import ipaddress
import logging
import shutil
from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from hongyan.accounts.types import Actor
from hongyan.jobs.selectors import workers_alive
from hongyan.web.middleware import public_page
from hongyan.web.settings import metrics

logger = logging.getLogger(__name__)


@public_page
@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """200 when everything lives, 503 naming what does not."""
    del request
    parts = {"database": _check(_database), "worker": _check(_worker), "disk": _check(_disk)}
    good = all(part["ok"] for part in parts.values())
    return JsonResponse({"ok": good, **parts}, status=200 if good else 503)


@public_page
@never_cache
@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    """From this machine, or with the token of HONGYAN_METRICS_TOKEN as a bearer token."""
    if not _may_scrape(request):
        return HttpResponse(status=403)
    metrics.refresh()
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _may_scrape(request: HttpRequest) -> bool:
    token = settings.HONGYAN_METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False  # a proxy on this machine passes on somebody from elsewhere
    actor: Actor = cast("Any", request).actor
    return actor.ip is not None and ipaddress.ip_address(actor.ip).is_loopback


def _check(part: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return part()
    except (DatabaseError, OSError) as error:
        logger.warning("health_check_failed", extra={"part": part.__name__, "error": type(error).__name__})
        return {"ok": False}


def _database() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"ok": True}


def _worker() -> dict[str, Any]:
    alive = workers_alive()
    return {"ok": alive > 0, "alive": alive}


def _disk() -> dict[str, Any]:
    free_mb = shutil.disk_usage(settings.HONGYAN_DATA_DIR).free // 2**20
    return {"ok": free_mb >= settings.HONGYAN_MIN_FREE_MB, "free_mb": free_mb}
