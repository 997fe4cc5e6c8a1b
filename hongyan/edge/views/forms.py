"""Sign-up forms: hosted, embeddable, and the confirmation that makes a sign-up count.

The views are exempt from CSRF protection on purpose. That protection guards authority a browser carries by itself, and
these pages use none: no session, no cookie beyond the language. Whoever can make a visitor's browser post here could as
well post from anywhere, and what is posted only asks for a mail to the address that was typed. Confirming takes the
token of that mail. An embedded form could not even keep a CSRF cookie, since browsers drop third-party cookies.
"""

from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from hongyan.contacts.errors import ConfirmationRefused, InvalidValues, SignupRefused
from hongyan.contacts.models import SignupForm, Topic
from hongyan.contacts.signup import Confirmation, confirm, confirmation_of, form_of_token, form_submit
from hongyan.contacts.signup_forms import form_by_public_id, form_text, form_topics
from hongyan.contacts.types import Evidence
from hongyan.delivery.errors import DeliveryProblem
from hongyan.edge.inputs import inputs_of, typed_values
from hongyan.edge.optin import preferences_path, send_confirmation
from hongyan.edge.views.common import ip_of, page, topic_name

_EMBED = """(function () {
  "use strict";
  var script = document.currentScript;
  if (!script) return;
  var address = new URL("./", script.src);
  address.searchParams.set("embed", "1");
  address.searchParams.set("from", location.origin + location.pathname);
  if (script.dataset.language) address.searchParams.set("lang", script.dataset.language);
  var frame = document.createElement("iframe");
  frame.src = address.href;
  frame.title = script.dataset.title || "Sign-up form";
  frame.loading = "lazy";
  frame.referrerPolicy = "no-referrer";
  frame.style.cssText = "width:100%;border:0;height:" + (parseInt(script.dataset.height, 10) || 760) + "px";
  script.after(frame);
})();
"""


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def hosted(request: HttpRequest, form_id: UUID) -> HttpResponse:
    """The form as a page, or (``?embed=1``) in a frame of any site. No cookie gives its post any right, see above."""
    form = form_by_public_id(form_id)
    if form is None:
        raise Http404
    _choose_language(request)
    if not form.active:
        return _finish(request, form, page(request, "form_closed", _frame(request, form), status=410))
    if request.method == "POST":
        return _finish(request, form, _submit(request, form))
    return _finish(request, form, _show(request, form, values={}, ticked=set(), errors={}))


@require_safe
def embed(request: HttpRequest, form_id: UUID) -> HttpResponse:
    """A script that puts the form into the page that loads it; it reads and keeps nothing."""
    del request
    if form_by_public_id(form_id, active_only=True) is None:
        raise Http404
    response = HttpResponse(_EMBED, content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "public, max-age=3600"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def confirmation(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows a button and changes nothing: mail gateways follow every link. POST is the consent."""
    try:
        found = confirmation_of(token=token)
        _speak(request, found)
        if request.method == "POST":
            found = confirm(
                token=token, evidence=_evidence(request, "confirmation"), tracking_refused=_refuses(request)
            )
    except ConfirmationRefused as refused:
        form = form_of_token(token)
        form_url = reverse("edge:form", args=[form.public_id]) if form is not None else ""
        refusal = {"expired": refused.code == "expired", "form_url": form_url}
        return page(request, "confirm_refused", refusal, status=410)
    context: dict[str, Any] = {"form_topics": _names(found)}
    if request.method != "POST" and not found.again:
        return page(request, "confirm", context)
    return page(request, "confirmed", context | {"preferences_url": preferences_path(found), "again": found.again})


# -- taking a sign-up


def _submit(request: HttpRequest, form: SignupForm) -> HttpResponse:
    ticked = set(request.POST.getlist("topic"))
    values = typed_values(form, request.POST)
    try:
        with transaction.atomic():
            signup = form_submit(
                form=form,
                values=values,
                topic_keys=ticked,
                language=_language(),
                evidence=_evidence(request, "form", form),
                trap=request.POST.get(form.honeypot, ""),
                tracking_refused=_refuses(request),
            )
            if signup is not None:
                send_confirmation(signup)
    except InvalidValues as invalid:
        return _show(request, form, values=values, ticked=ticked, errors=invalid.messages(), status=422)
    except SignupRefused as refused:
        if refused.code == "form_closed":
            return page(request, "form_closed", _frame(request, form), status=410)
        message = _("Too many sign-ups came from your network. Please try again in an hour.")
        return _show(request, form, values=values, ticked=ticked, errors={"form": message}, status=429)
    except DeliveryProblem:
        message = _("We cannot send the confirmation mail at the moment. Please try again later.")
        return _show(request, form, values=values, ticked=ticked, errors={"form": message}, status=503)
    target = _allowed_target(form, request.POST.get("next", ""))
    if target and not _embedded(request):
        return HttpResponseRedirect(target)
    done = {"done": form_text(form, _language(), "done")}
    return page(request, "form_done", _frame(request, form) | done)


def _show(
    request: HttpRequest,
    form: SignupForm,
    *,
    values: dict[str, Any],
    ticked: set[str],
    errors: dict[str, str],
    status: int = 200,
) -> HttpResponse:
    chinese = _language() == "zh-hans"
    context = _frame(request, form) | {
        "intro": form_text(form, _language(), "intro"),
        "consent": form_text(form, _language(), "consent"),
        "button": form_text(form, _language(), "button"),
        "email": values.get("email", ""),
        "inputs": inputs_of(form, values, errors, chinese=chinese),
        "topics": [
            (topic.key, topic_name(topic), topic.about_zh if chinese else topic.about_en, topic.key in ticked)
            for topic in form_topics(form)
        ],
        "errors": errors,
        "trap": form.honeypot,
        "next": _allowed_target(form, _given(request, "next")),
        "from": _clean_url(_given(request, "from")),
    }
    return page(request, "form", context, status=status)


def _frame(request: HttpRequest, form: SignupForm) -> dict[str, Any]:
    path = reverse("edge:form", args=[form.public_id])
    kept = {"embed": "1"} if _embedded(request) else {}
    kept |= {key: value for key in ("next", "from") if (value := _given(request, key))}
    return {
        "title": form_text(form, _language(), "title"),
        "embedded": _embedded(request),
        "action": f"{path}?{urlencode({'lang': _language()} | ({'embed': '1'} if _embedded(request) else {}))}",
        "language_links": [
            (code, label, f"{path}?{urlencode(kept | {'lang': code})}")
            for code, label in settings.LANGUAGES
            if code != _language()
        ],
    }


def _finish(request: HttpRequest, form: SignupForm, response: HttpResponse) -> HttpResponse:
    """Where the page may be framed and where its form may lead: Chromium also checks redirects after a post."""
    hosts = "".join(f" https://{host}" for host in form.redirect_hosts)
    ancestors = "*" if _embedded(request) else "'none'"
    response["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"base-uri 'none'; form-action 'self'{hosts}; frame-ancestors {ancestors}"
    )
    if _embedded(request):
        response.xframe_options_exempt = True
    return response


# -- small parts


def _choose_language(request: HttpRequest) -> None:
    """``lang`` rather than the cookie: a frame on another site gets no cookies."""
    code = request.GET.get("lang", "")
    if code in dict(settings.LANGUAGES):
        translation.activate(code)
        request.LANGUAGE_CODE = code


def _speak(request: HttpRequest, found: Confirmation) -> None:
    """The language of the sign-up, unless the visitor chose another on these pages."""
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES and found.language in dict(settings.LANGUAGES):
        translation.activate(found.language)
        request.LANGUAGE_CODE = found.language


def _language() -> str:
    return "zh-hans" if (translation.get_language() or "zh").startswith("zh") else "en"


def _embedded(request: HttpRequest) -> bool:
    return request.GET.get("embed") == "1"


def _given(request: HttpRequest, key: str) -> str:
    text: str = request.POST.get(key, "") or request.GET.get(key, "")
    return text[:500]


def _allowed_target(form: SignupForm, url: str) -> str:
    """Only https, and only hosts the form names; anything else stays on the thank-you page."""
    if not url or not form.redirect_hosts:
        return ""
    good = url_has_allowed_host_and_scheme(url, allowed_hosts=set(form.redirect_hosts), require_https=True)
    return url if good and url.startswith("https://") else ""


def _clean_url(url: str) -> str:
    """Where the frame stands, without query: addresses of other sites may carry personal data there."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        return ""
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))[:500]


def _evidence(request: HttpRequest, method: str, form: SignupForm | None = None) -> Evidence:
    source = ""
    if form is not None:
        hosted_at = settings.HONGYAN_BASE_URL.rstrip("/") + reverse("edge:form", args=[form.public_id])
        source = _clean_url(_given(request, "from")) or hosted_at
    agent = request.headers.get("User-Agent", "")[:400]
    return Evidence(method=method, source_url=source, ip=ip_of(request) or "", user_agent=agent)


def _refuses(request: HttpRequest) -> bool:
    """Global Privacy Control: the browser refuses tracking on its owner's behalf."""
    return request.headers.get("Sec-GPC") == "1"


def _names(found: Confirmation) -> list[str]:
    return [topic_name(topic) for topic in Topic.objects.filter(key__in=found.topic_keys).order_by("position", "id")]
