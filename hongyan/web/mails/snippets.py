"""Snippets: the list, writing one, its history."""

import re
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.content.errors import EditConflict, NameTaken, NotFound, SnippetInUse
from hongyan.content.selectors import snippet_history, snippet_rows, snippet_users, snippet_version
from hongyan.content.services import snippet_create, snippet_delete, snippet_restore, snippet_save
from hongyan.content.types import MailDraft, SourceKind
from hongyan.web.mails.common import actor_of, editing, reading, snippet_of
from hongyan.web.mails.editor import line_changes
from hongyan.web.mails.previews import mail_shown
from hongyan.web.mails.words import KINDS


class NewSnippet(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=160)
    key = forms.RegexField(
        r"^[a-z][a-z0-9-]{0,63}$",
        label=gettext_lazy("Key"),
        help_text=gettext_lazy("Lower-case letters, digits and hyphens; it stays the same for good."),
    )
    kind = forms.ChoiceField(
        label=pgettext_lazy("mail", "Kind"), choices=[(kind, str(KINDS[kind])) for kind in SourceKind]
    )


class SnippetText(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=160)
    source = forms.CharField(
        label=pgettext_lazy("mail", "Source"),
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false"}),
        required=False,
        strip=False,
    )
    base = forms.IntegerField(widget=forms.HiddenInput)


@require_safe
@reading
def index(request: HttpRequest) -> HttpResponse:
    rows = snippet_rows(request.GET.get("q", "").strip()[:100])
    entries = [
        {"row": row, "kind": KINDS.get(row.kind, row.kind), "users": len(snippet_users(row.key))} for row in rows
    ]
    context = {"entries": entries, "filtered": bool(request.GET.get("q"))}
    return render(request, "mails/snippets.html", context)


@require_http_methods(["GET", "POST"])
@editing
def create(request: HttpRequest) -> HttpResponse:
    form = NewSnippet(request.POST or None, initial={"kind": SourceKind.MJML})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            snippet = snippet_create(
                actor=actor_of(request), key=given["key"], name=given["name"], kind=SourceKind(given["kind"]), source=""
            )
        except NameTaken:
            form.add_error("key", _("Another snippet has this key."))
        else:
            return HttpResponseRedirect(reverse("mails:snippet", args=[snippet.public_id]))
    return render(request, "mails/snippet_new.html", {"form": form})


@require_http_methods(["GET", "POST"])
@reading
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    snippet = snippet_of(public_id)
    version = snippet_version(snippet)
    initial = {"name": snippet.name, "source": version.source, "base": version.number}
    form = SnippetText(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        source = given["source"].replace("\r\n", "\n")
        try:
            snippet_save(
                actor=actor_of(request), snippet_id=public_id, base=given["base"], source=source, name=given["name"]
            )
        except EditConflict:
            form.add_error(None, _("Somebody else has changed this snippet since you opened it."))
        else:
            messages.success(request, _("Saved"))
            return HttpResponseRedirect(reverse("mails:snippet", args=[public_id]))
    users = snippet_users(snippet.key)
    context: dict[str, Any] = {
        "snippet": snippet,
        "form": form,
        "users": users,
        "include": f'{{% include "snippet:{snippet.key}" %}}',
        "versions": snippet_history(snippet),
        "writable": actor_of(request).may(Permission.CONTENT_EDIT),
    }
    context |= _comparison(request, public_id)
    return render(request, "mails/snippet.html", context)


@require_http_methods(["GET", "POST"])
@reading
def preview(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The snippet alone in a mail, for the sandboxed frame: as saved, or as it stands in the form (POST)."""
    snippet = snippet_of(public_id)
    source = request.POST.get("source", "") if request.method == "POST" else snippet_version(snippet).source
    kind = SourceKind(snippet.kind)
    draft = MailDraft(
        subject=snippet.name,
        kind=kind,
        source=_alone(source.replace("\r\n", "\n"), kind),
        language=get_language() or "en",
    )
    return mail_shown(draft)


def _alone(source: str, kind: SourceKind) -> str:
    """The least mail that can carry it. A piece of MJML may be a section, or what stands in a column."""
    if kind is SourceKind.MJML:
        whole = re.search(r"<mj-(section|wrapper|hero|raw)\b", source)
        inner = source if whole else f"<mj-section><mj-column>{source}</mj-column></mj-section>"
        return f"<mjml><mj-body>{inner}</mj-body></mjml>"
    if kind is SourceKind.HTML:
        return f"<!doctype html><html><head><title></title></head><body>{source}</body></html>"
    return source


@require_POST
@editing
def restore(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    snippet_of(public_id)
    note = _("Restored version %(number)d") % {"number": number}
    try:
        snippet_restore(actor=actor_of(request), snippet_id=public_id, number=number, note=note)
    except NotFound:
        raise Http404 from None
    messages.success(request, note)
    return HttpResponseRedirect(reverse("mails:snippet", args=[public_id]))


@require_POST
@editing
def delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    snippet = snippet_of(public_id)
    try:
        snippet_delete(actor=actor_of(request), snippet_id=public_id)
    except SnippetInUse as refused:
        text = _("Still used by: %(names)s. Take it out there first.") % {"names": ", ".join(refused.names[:5])}
        messages.error(request, text)
        return HttpResponseRedirect(reverse("mails:snippet", args=[public_id]))
    messages.success(request, _("“%(name)s” is deleted.") % {"name": snippet.name})
    return HttpResponseRedirect(reverse("mails:snippets"))


def _comparison(request: HttpRequest, public_id: UUID) -> dict[str, Any]:
    text = request.GET.get("version", "")
    if not text.isdigit():
        return {"chosen": None, "changes": []}
    snippet = snippet_of(public_id)
    try:
        chosen = snippet_version(snippet, int(text))
    except NotFound:
        raise Http404 from None
    return {"chosen": chosen, "changes": line_changes(chosen.source, snippet_version(snippet).source)}
