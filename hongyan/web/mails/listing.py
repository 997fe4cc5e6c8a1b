"""The list of templates, the shelf of ready ones, and the small pictures of both."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from hongyan.content.errors import ContentProblem, RenderRefused
from hongyan.content.preview import preview_example
from hongyan.content.ready import ReadyTemplate, ready_template, ready_templates
from hongyan.content.selectors import ORDERS, TemplateFilters, template_draft, template_rows
from hongyan.content.services import (
    content_compile,
    template_archive,
    template_copy,
    template_create,
    template_unarchive,
)
from hongyan.content.types import MailDraft, MailType, SourceKind, TemplateContent
from hongyan.web.mails.common import actor_of, editing, mail_response, reading, sender_values, template_of
from hongyan.web.mails.usage import template_uses
from hongyan.web.mails.words import EMPTY_SOURCES, KINDS, LANGUAGES, MAIL_TYPES


@require_safe
@reading
def index(request: HttpRequest) -> HttpResponse:
    given = request.GET
    filters = TemplateFilters(
        text=given.get("q", "").strip()[:100],
        kind=given.get("kind", ""),
        mail_type=given.get("type", ""),
        language=given.get("language", ""),
        archived=given.get("state") == "archived",
    )
    order = given.get("order", "-updated")
    rows = template_rows(filters, order=order if order in ORDERS else "-updated")
    uses = template_uses([row.id for row in rows])
    entries = [
        {
            "row": row,
            "kind": KINDS.get(row.kind, row.kind),
            "type": MAIL_TYPES.get(row.mail_type, row.mail_type),
            "language": LANGUAGES.get(row.language, row.language),
            "uses": uses.get(row.id, 0),
        }
        for row in rows
    ]
    context = {
        "entries": entries,
        "filters": filters,
        "filtered": any((filters.text, filters.kind, filters.mail_type, filters.language, filters.archived)),
        "types": MAIL_TYPES.items(),
        "languages": LANGUAGES.items(),
        "view": "table" if given.get("view") == "table" else "cards",
    }
    return render(request, "mails/index.html", context)


@require_safe
@editing
def gallery(request: HttpRequest) -> HttpResponse:
    language = request.GET.get("language") or _mail_language()
    shelf = [
        {"ready": ready, "type": MAIL_TYPES[ready.mail_type]}
        for ready in ready_templates()
        if ready.language == language
    ]
    context = {"shelf": shelf, "language": language, "languages": LANGUAGES.items(), "kinds": KINDS.items()}
    return render(request, "mails/gallery.html", context)


@require_POST
@editing
def create(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    language = request.POST.get("language", "")
    language = language if language in LANGUAGES else _mail_language()
    ready = _ready(request.POST.get("ready", ""), language)
    if ready is not None:
        kind, mail_type, content = SourceKind.MJML, ready.mail_type, ready.content
        name, key = str(ready.name), ready.key
    else:
        kind = _kind(request.POST.get("kind", ""))
        mail_type, content, key = MailType.PROMOTION, _empty(kind, language), ""
        name = _("New mail")
    template = template_create(
        actor=actor, name=name, kind=kind, mail_type=mail_type, language=language, content=content, ready_key=key
    )
    return HttpResponseRedirect(reverse("mails:edit", args=[template.public_id]))


@require_POST
@editing
def copy(request: HttpRequest, public_id: UUID) -> HttpResponse:
    template = template_of(public_id)
    name = _("Copy of %(name)s") % {"name": template.name}
    made = template_copy(actor=actor_of(request), template_id=public_id, name=name)
    return HttpResponseRedirect(reverse("mails:edit", args=[made.public_id]))


@require_POST
@editing
def archive(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Posting state=active brings it back."""
    template = template_of(public_id)
    if request.POST.get("state") == "active":
        template_unarchive(actor=actor_of(request), template_id=public_id)
        messages.success(request, _("“%(name)s” is back in the list.") % {"name": template.name})
    else:
        template_archive(actor=actor_of(request), template_id=public_id)
        messages.success(request, _("“%(name)s” is archived.") % {"name": template.name})
    return HttpResponseRedirect(reverse("mails:index"))


@require_safe
@reading
def thumbnail(request: HttpRequest, public_id: UUID) -> HttpResponse:
    del request
    return _picture(template_draft(template_of(public_id)))


@require_safe
@editing
def ready_thumbnail(request: HttpRequest, key: str, language: str) -> HttpResponse:
    del request
    ready = _ready(key, language)
    if ready is None:
        raise Http404
    return _picture(ready.draft())


def _picture(draft: MailDraft) -> HttpResponse:
    """The mail with the examples' values; a note instead of one that does not compile."""
    try:
        mail = preview_example(content_compile(draft), sender=sender_values(draft.language))
        markup = mail.html or f"<pre>{escape(mail.text)}</pre>"
    except (ContentProblem, RenderRefused):
        markup = f"<p>{escape(_('No preview: the source has problems.'))}</p>"
    return mail_response(markup)


def _ready(key: str, language: str) -> ReadyTemplate | None:
    try:
        return ready_template(key, language) if key else None
    except KeyError:
        return None


def _kind(text: str) -> SourceKind:
    return SourceKind(text) if text in set(SourceKind) else SourceKind.MJML


def _empty(kind: SourceKind, language: str) -> TemplateContent:
    with translation.override(language):
        words: dict[str, Any] = {
            "unsubscribe": _("Unsubscribe"),
            "language": "zh-Hans" if language.startswith("zh") else language,
        }
        return TemplateContent(source=EMPTY_SOURCES[kind] % words)


def _mail_language() -> str:
    return "zh-hans" if (translation.get_language() or "zh").startswith("zh") else "en"
