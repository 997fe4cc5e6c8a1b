"""What the local catcher took in: a mailbox of everybody, for installations without a relay."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.delivery.caught import (
    CaughtMailHidden,
    CaughtRead,
    NoCaughtMail,
    caught_delete_all,
    caught_page,
    caught_raw,
    caught_read,
    one_click_post,
)
from hongyan.delivery.errors import DeliveryProblem
from hongyan.web.sealed_search import open_search, seal_search

VIEWS = ("html", "text", "headers", "source")
PAGE = 50


@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """A search is posted and comes back sealed: addresses of people stay out of logs and histories."""
    actor = request.actor  # type: ignore[attr-defined]
    actor.require(Permission.SYSTEM_VIEW)
    if request.method == "POST":
        text = request.POST.get("text", "").strip()[:200]
        query = "?" + urlencode({"q": seal_search(text, actor)}) if text else ""
        return HttpResponseRedirect(reverse("catcher:index") + query)
    context = _list(request)
    try:
        context["mail"] = mail = _chosen(request)
    except CaughtMailHidden:
        context["hidden"], mail = True, None
    if mail is not None:
        context |= _reading(request, mail)
    context["relay"] = bool(settings.HONGYAN_SMTP_URL)
    return render(request, "catcher/index.html", context)


@require_GET
def rows(request: HttpRequest) -> HttpResponse:
    """The list alone, as it refreshes itself."""
    if "HX-Request" not in request.headers:
        return index(request)
    return render(request, "catcher/rows.html", _list(request))


@require_GET
def body(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The mail's own HTML. It may hold anything: no scripts, no forms, an origin of its own."""
    mail = _read(request, public_id)
    images = "img-src 'none'" if request.GET.get("images") == "0" else "img-src http: https: data:"
    answer = HttpResponse('<base target="_blank">' + mail.html)
    answer["Content-Security-Policy"] = (
        f"default-src 'none'; {images}; style-src 'unsafe-inline'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox; frame-ancestors 'self'"
    )
    answer["Referrer-Policy"] = "no-referrer"
    return answer


@require_GET
def source(request: HttpRequest, public_id: UUID) -> HttpResponse:
    try:
        raw = caught_raw(actor=request.actor, public_id=public_id)  # type: ignore[attr-defined]
    except NoCaughtMail as error:
        raise Http404 from error
    answer = HttpResponse(raw, content_type="message/rfc822")
    answer["Content-Disposition"] = f'attachment; filename="{public_id}.eml"'
    return answer


@require_POST
def unsubscribe(request: HttpRequest, public_id: UUID) -> HttpResponse:
    try:
        status = one_click_post(actor=request.actor, public_id=public_id)  # type: ignore[attr-defined]
    except NoCaughtMail as error:
        raise Http404 from error
    except DeliveryProblem:
        messages.error(request, _("This mail has no one-click address of this installation."))
    else:
        if 200 <= status < 300:
            messages.success(
                request, _("Unsubscribed with one click: the server answered %(status)s.") % {"status": status}
            )
        elif status:
            messages.error(request, _("The server answered %(status)s: one click did not work.") % {"status": status})
        else:
            messages.error(request, _("The unsubscribe address did not answer."))
    return HttpResponseRedirect(f"{reverse('catcher:index')}?{urlencode({'mail': str(public_id)})}")


@require_POST
def delete_all(request: HttpRequest) -> HttpResponse:
    count = caught_delete_all(actor=request.actor)  # type: ignore[attr-defined]
    text = ngettext("%(count)s caught mail deleted.", "%(count)s caught mails deleted.", count)
    messages.success(request, text % {"count": count})
    return HttpResponseRedirect(reverse("catcher:index"))


def _list(request: HttpRequest) -> dict[str, Any]:
    actor = request.actor  # type: ignore[attr-defined]
    sealed, before = request.GET.get("q", "")[:2000], request.GET.get("after", "")
    search = open_search(sealed, actor)
    found, total = caught_page(
        actor=actor,
        search=search,
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
        limit=PAGE + 1,
    )
    kept = {key: value for key, value in (("q", sealed if search else ""), ("after", before)) if value}
    more = {**kept, "after": found[PAGE - 1].id} if len(found) > PAGE else None
    return {
        "rows": found[:PAGE],
        "total": total,
        "search": search,
        "first_page": not before,
        "kept": f"&{urlencode(kept)}" if kept else "",
        "older": f"?{urlencode(more)}" if more else "",
        "chosen": request.GET.get("mail", ""),
    }


def _chosen(request: HttpRequest) -> CaughtRead | None:
    try:
        return caught_read(actor=request.actor, public_id=UUID(request.GET["mail"]))  # type: ignore[attr-defined]
    except CaughtMailHidden:
        raise
    except (KeyError, ValueError, NoCaughtMail):
        return None


def _read(request: HttpRequest, public_id: UUID) -> CaughtRead:
    try:
        return caught_read(actor=request.actor, public_id=public_id)  # type: ignore[attr-defined]
    except NoCaughtMail as error:
        raise Http404 from error


def _reading(request: HttpRequest, mail: CaughtRead) -> dict[str, Any]:
    view = request.GET.get("view", "")
    offered = [name for name in VIEWS if name != "html" or mail.html]
    names = {
        "html": _("Mail"),
        "text": pgettext("mail", "Text"),
        "headers": _("Headers"),
        "source": pgettext("mail", "Source"),
    }
    own = mail.one_click_url is not None and mail.one_click_url.startswith(settings.HONGYAN_BASE_URL + "/")
    return {
        "view": view if view in offered else offered[0],
        "views": [(name, names[name]) for name in offered],
        "images": request.GET.get("images") != "0",
        "one_click": own,
    }
