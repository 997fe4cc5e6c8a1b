"""Connecting shops, fetching their past, what their platforms ask about people, and currencies."""

import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.commerce import privacy_tasks
from hongyan.commerce import shops as acts
from hongyan.commerce.errors import CommerceMissing, CommerceRefused, MoneyRefused, ShopRefused
from hongyan.commerce.models import Shop, ShopMessage
from hongyan.commerce.settings import commerce_settings, commerce_settings_change
from hongyan.ingest.commerce.backfill import WHAT, backfill_start, shop_test
from hongyan.ingest.commerce.inbox import topics_of
from hongyan.jobs.services import job_cancel, job_pause, job_resume, job_retry, job_start
from hongyan.web.commerce import labels
from hongyan.web.commerce.files import currency_choices
from hongyan.web.commerce.shared import actor_of
from hongyan.web.imports.shared import time_left


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    rows = acts.shops(actor=actor)
    return render(request, "commerce/shops.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.SOURCE_EDIT)
    given, problem, wrong = request.POST, "", ""
    if request.method == "POST":
        try:
            shop = acts.shop_connect(
                actor=actor,
                kind=given.get("kind", ""),
                address=given.get("address", ""),
                name=given.get("name", ""),
                token=given.get("token", ""),
                secret=given.get("secret", ""),
                private="private" in given,
            )
        except ShopRefused as refused:
            problem, wrong = labels.problem(refused.code), refused.field
        else:
            return redirect("commerce:shop", shop.public_id)
    context = {
        "kinds": labels.shop_kinds(),
        "kind": given.get("kind") or request.GET.get("kind") or Shop.Kind.SHOPIFY.value,
        "address": given.get("address", ""),
        "name": given.get("name", ""),
        "private": "private" in given,
        "problem": problem,
        "wrong": wrong,
    }
    return render(request, "commerce/shop_new.html", context, status=422 if problem else 200)


@require_GET
def show(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    return render(request, "commerce/shop.html", _context(request, public_id))


@require_GET
def progress(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    context = _context(request, public_id)
    answer = render(request, "commerce/shop_progress.html", context)
    if not context["polling"]:
        answer.headers["HX-Refresh"] = "true"
    return answer


def _context(request: HttpRequest, public_id: uuid.UUID) -> dict[str, Any]:
    actor = actor_of(request)
    shop = _shop(request, public_id)
    job = shop.backfill
    latest = ShopMessage.objects.filter(shop=shop).order_by("-id").defer("body")[:12]
    names = {"products": _("Products"), "customers": _("Customers"), "orders": _("Orders")}
    return {
        "shop": shop,
        "shopify": shop.kind == Shop.Kind.SHOPIFY,
        "kind": dict((key, name) for key, name, _about in labels.shop_kinds())[shop.kind],  # noqa: C402
        "hook_url": settings.HONGYAN_BASE_URL + reverse("edge:shop_hook", args=[shop.public_id]),
        "hook_secret": acts.credentials_of(shop).hook if shop.kind == Shop.Kind.WOOCOMMERCE else "",
        "topics": topics_of(shop.kind),
        "test_problem": labels.problem(shop.test_problem),
        "why": labels.disconnected(shop.disconnected_why),
        "job": job,
        "polling": job is not None and not job.ended and job.state != "paused",
        "time_left": time_left(job),
        "past": [{"name": names[what], **shop.backfill_state[what]} for what in WHAT if shop.backfill_state.get(what)],
        "messages_": [
            {
                "row": row,
                "pill": {"waiting": "queued", "done": "done", "set_aside": "failed"}[row.state],
                "problem": labels.problem(row.problem) if row.problem else "",
            }
            for row in latest
        ],
        "set_aside": ShopMessage.objects.filter(shop=shop, state=ShopMessage.State.SET_ASIDE).count(),
        "may_see_quarantine": actor.may(Permission.SOURCE_EDIT),
    }


@require_POST
def change(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    _shop(request, public_id)
    given = request.POST
    acts.shop_change(
        actor=actor_of(request),
        public_id=public_id,
        name=given.get("name", ""),
        token=given.get("token", ""),
        secret=given.get("secret", ""),
    )
    messages.success(request, _("Saved"))
    return redirect("commerce:shop", public_id)


@require_POST
def test(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    _shop(request, public_id)
    problem = shop_test(actor=actor_of(request), public_id=public_id, wait=_no_wait)
    if problem:
        messages.error(request, labels.problem(problem))
    else:
        messages.success(request, _("The shop answers, and the keys are right."))
    return redirect("commerce:shop", public_id)


def _no_wait(_seconds: float) -> None:
    """A person is waiting for the page."""


@require_POST
def backfill(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Start, pause, go on or stop, by ``act``."""
    actor, shop = actor_of(request), _shop(request, public_id)
    act = request.POST.get("act", "start")
    wishes: dict[str, Callable[..., object]] = {
        "pause": job_pause,
        "cancel": job_cancel,
        "resume": job_resume,
        "retry": job_retry,
    }
    try:
        if act in wishes and shop.backfill is not None:
            wishes[act](actor=actor, job_id=shop.backfill.pk)
        else:
            backfill_start(actor=actor, public_id=public_id)
    except CommerceRefused as refused:
        messages.error(request, labels.problem(refused.code))
    return redirect("commerce:shop", public_id)


@require_POST
def disconnect(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    _shop(request, public_id)
    acts.shop_disconnect(actor=actor_of(request), public_id=public_id)
    messages.success(request, _("The shop is disconnected; its orders stay."))
    return redirect("commerce:shop", public_id)


def _shop(request: HttpRequest, public_id: uuid.UUID) -> Shop:
    try:
        return acts.shop_by_public_id(actor=actor_of(request), public_id=public_id)
    except CommerceMissing as error:
        raise Http404 from error


@require_GET
def privacy(request: HttpRequest) -> HttpResponse:
    rows = privacy_tasks.tasks(actor=actor_of(request))
    context = {"rows": [{"task": row, "what": labels.privacy_what(row.what)} for row in rows]}
    return render(request, "commerce/privacy.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def privacy_task(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    try:
        if request.method == "POST":
            privacy_tasks.task_close(actor=actor, public_id=public_id, note=request.POST.get("note", ""))
            messages.success(request, _("Closed. What the shop had sent about the person is deleted."))
            return redirect("commerce:privacy")
        task, details = privacy_tasks.task_details(actor=actor, public_id=public_id)
    except CommerceMissing as error:
        raise Http404 from error
    customer = details.get("customer") if isinstance(details.get("customer"), dict) else {}
    context = {
        "task": task,
        "what": labels.privacy_what(task.what),
        "customer": [(name, str(value)) for name, value in (customer or {}).items() if value not in (None, "")],
        "orders": details.get("orders_requested") or details.get("orders_to_redact") or [],
    }
    return render(request, "commerce/privacy_task.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def currency(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.SETTINGS_EDIT)
    row, problem, wrong = commerce_settings(), "", ""
    rates = dict(row.rates)
    if request.method == "POST":
        pairs = zip(request.POST.getlist("code"), request.POST.getlist("rate"), strict=False)
        rates = {code.strip().upper(): rate.strip() for code, rate in pairs if code.strip() and rate.strip()}
        try:
            commerce_settings_change(actor=actor, currency=request.POST.get("currency", ""), rates=rates)
        except MoneyRefused as refused:
            problem, wrong = labels.problem(refused.code), refused.field
        else:
            job_start(actor=actor, kind="commerce_facts", params={})
            messages.success(request, _("Saved. What customers bought is being added up again."))
            return redirect("commerce:currency")
    context = {
        "currency": request.POST.get("currency") or row.currency,
        "currencies": currency_choices(),
        "rates": [*sorted(rates.items()), ("", ""), ("", ""), ("", "")],
        "problem": problem,
        "wrong": wrong,
    }
    return render(request, "commerce/currency.html", context, status=422 if problem else 200)
