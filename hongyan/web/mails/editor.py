"""Writing one template: the page, autosave, history."""

import difflib
import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.content.catalogue import catalogue
from hongyan.content.errors import EditConflict, NotFound
from hongyan.content.models import Template, TemplateVersion
from hongyan.content.selectors import snippet_rows, template_history, template_version
from hongyan.content.services import template_restore, template_save, template_update, template_version_name
from hongyan.content.types import MailType, TemplateContent
from hongyan.web.mails.common import actor_of, editing, reading, template_of
from hongyan.web.mails.previews import fallbacks_of
from hongyan.web.mails.usage import template_uses
from hongyan.web.mails.words import GROUPS, KINDS, LANGUAGES, MAIL_TYPES


@require_safe
@reading
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    template = template_of(public_id)
    version = template_version(template)
    context = {
        "template": template,
        "version": version,
        "writable": actor_of(request).may(Permission.CONTENT_EDIT) and template.archived_at is None,
        "fields": _field_groups(),
        "snippets": snippet_rows(),
        "fallbacks": json.dumps(version.fallbacks),
        "kind": KINDS.get(template.kind, template.kind),
        "types": MAIL_TYPES.items(),
        "languages": LANGUAGES.items(),
        "uses": template_uses([template.pk]).get(template.pk, 0),
        "address": getattr(request.user, "email", ""),
        "may_see_people": actor_of(request).may(Permission.CONTACT_VIEW),
    }
    return render(request, "mails/edit.html", context)


@require_POST
@editing
def save(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Autosave and "keep as version" alike, as JSON."""
    template_of(public_id)
    given = request.POST.dict()
    content = TemplateContent(
        subject=given.get("subject", ""),
        preheader=given.get("preheader", ""),
        source=given.get("source", "").replace("\r\n", "\n"),
        text_source=given.get("text_source", "").replace("\r\n", "\n"),
        fallbacks=fallbacks_of(given),
    )
    try:
        base = int(given.get("base", "0"))
        version = template_save(
            actor=actor_of(request), template_id=public_id, base=base, content=content, note=given.get("note", "")
        )
    except ValueError:
        return JsonResponse({"error": _("The page is out of date; load it again.")}, status=422)
    except EditConflict:
        message = _(
            "Somebody else has changed this mail since you opened it. Load the page again to see their version."
        )
        return JsonResponse({"error": message, "conflict": True}, status=409)
    return JsonResponse({"version": version.number})


@require_POST
@editing
def rename(request: HttpRequest, public_id: UUID) -> HttpResponse:
    template_of(public_id)
    given = request.POST
    kind, language = given.get("mail_type", ""), given.get("language", "")
    template_update(
        actor=actor_of(request),
        template_id=public_id,
        name=given.get("name"),
        mail_type=MailType(kind) if kind in set(MailType) else None,
        language=language if language in LANGUAGES else None,
    )
    messages.success(request, _("Saved"))
    return HttpResponseRedirect(reverse("mails:edit", args=[public_id]))


@require_safe
@reading
def history(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """All versions; the chosen one compared with the one before it."""
    template = template_of(public_id)
    versions = template_history(template)
    chosen = _chosen(template, request.GET.get("version", ""))
    before = template.versions.filter(number__lt=chosen.number).order_by("-number").first()
    context = {
        "template": template,
        "versions": versions,
        "chosen": chosen,
        "before": before,
        "changes": _changes(before, chosen),
        "writable": actor_of(request).may(Permission.CONTENT_EDIT),
    }
    return render(request, "mails/history.html", context)


@require_POST
@editing
def restore(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    template_of(public_id)
    note = _("Restored version %(number)d") % {"number": number}
    try:
        template_restore(actor=actor_of(request), template_id=public_id, number=number, note=note)
    except NotFound:
        raise Http404 from None
    messages.success(request, note)
    return HttpResponseRedirect(reverse("mails:edit", args=[public_id]))


@require_POST
@editing
def name_version(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    note = request.POST.get("note", "")
    try:
        template_version_name(actor=actor_of(request), template_id=public_id, number=number, note=note)
    except NotFound:
        raise Http404 from None
    messages.success(request, _("Saved"))
    return HttpResponseRedirect(f"{reverse('mails:history', args=[public_id])}?version={number}")


def _chosen(template: Template, text: str) -> TemplateVersion:
    try:
        return template_version(template, int(text) if text else None)
    except (NotFound, ValueError):
        raise Http404 from None


def line_changes(old: str, new: str) -> list[tuple[str, str]]:
    """Changed lines with three of their surroundings; sign "@" is a jump."""
    found: list[tuple[str, str]] = []
    for line in difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=3):
        if line.startswith(("---", "+++")) and not found:
            continue
        sign, text = line[0], line[1:]
        found.append((sign, "" if sign == "@" else text))
    return found


def _changes(before: TemplateVersion | None, chosen: TemplateVersion) -> list[dict[str, Any]]:
    parts = (
        (_("Subject"), "subject"),
        (_("Preheader"), "preheader"),
        (pgettext("mail", "Source"), "source"),
        (_("Plain text"), "text_source"),
    )
    changes = []
    for label, name in parts:
        lines = line_changes(getattr(before, name, ""), getattr(chosen, name))
        if lines:
            changes.append({"label": label, "lines": lines})
    return changes


def _field_groups() -> list[dict[str, Any]]:
    groups: dict[str, list[Any]] = {}
    for field in catalogue().values():
        groups.setdefault(field.group, []).append(field)
    return [{"label": GROUPS[name], "fields": groups[name]} for name in GROUPS if name in groups]
