"""``Idempotency-Key``: a repeated POST gets the first one's answer and does nothing again.

The key is claimed before the work and answered after it. A repeat while the first still runs gets 409; the same key
with another body gets 422; an answer of 5xx is not kept, so that the caller may try again. Kept for a day.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from hongyan.api.auth import actor_of_key
from hongyan.api.models import IdempotentCall
from hongyan.api.problems import answer
from hongyan.core import clock
from hongyan.core.crypto.keyring import keyring

HEADER = "Idempotency-Key"
KEPT = timedelta(days=1)
_STALE = timedelta(minutes=10)  # a claim without answer: its process died


class IdempotencyMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = request.headers.get(HEADER)
        if name is None or request.method != "POST" or not request.path.startswith("/api/v1/"):
            return self.get_response(request)
        scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
        actor = actor_of_key(request, token) if scheme.lower() == "bearer" else None
        if actor is None or actor.id is None:
            return self.get_response(request)  # will be refused there
        if not 1 <= len(name) <= 200:
            return answer(422, "idempotency-key", _("An Idempotency-Key has 1 to 200 characters."))
        return self._once(request, actor.id, name)

    def _once(self, request: HttpRequest, key_id: int, name: str) -> HttpResponse:
        digest = hashlib.sha256(f"{request.path}\n".encode() + request.body).digest()
        call = _claim(key_id, name, digest)
        if call is None:
            return _repeat(key_id, name, digest)
        try:
            response = self.get_response(request)
        except BaseException:
            call.delete()
            raise
        if response.status_code >= 500 or response.streaming:
            call.delete()
            return response
        call.status = response.status_code
        call.content_type = response.headers.get("Content-Type", "")
        call.sealed_body = keyring().records.seal(response.content, owner_id=call.pk)
        call.save(update_fields=["status", "content_type", "sealed_body"])
        return response


def forget_old() -> int:
    """Returns how many kept answers were dropped."""
    return IdempotentCall.objects.filter(created_at__lt=clock.now() - KEPT).delete()[0]


def _claim(key_id: int, name: str, digest: bytes) -> IdempotentCall | None:
    now = clock.now()
    IdempotentCall.objects.filter(key_id=key_id, name=name, created_at__lt=now - KEPT).delete()
    IdempotentCall.objects.filter(key_id=key_id, name=name, status=None, created_at__lt=now - _STALE).delete()
    try:
        with transaction.atomic():
            return IdempotentCall.objects.create(key_id=key_id, name=name, request_sha256=digest, created_at=now)
    except IntegrityError:
        return None


def _repeat(key_id: int, name: str, digest: bytes) -> HttpResponse:
    call = IdempotentCall.objects.filter(key_id=key_id, name=name).first()
    if call is None or call.status is None or call.sealed_body is None:
        return answer(409, "in-progress", _("The first request with this Idempotency-Key is still running."))
    if bytes(call.request_sha256) != digest:
        return answer(422, "idempotency-key", _("This Idempotency-Key was used for another request."))
    body = keyring().records.open(bytes(call.sealed_body), owner_id=call.pk)
    response = HttpResponse(body, status=call.status, content_type=call.content_type)
    response["Idempotent-Replayed"] = "true"
    return response
