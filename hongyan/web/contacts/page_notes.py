"""Notes, the owner, and what the small menus of a person's page offer."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from hongyan.accounts.models import User
from hongyan.accounts.types import Actor
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.insight.person import belongings
from hongyan.audience.models import ContactList, ListMember, current_versions
from hongyan.audience.selectors import tag_tree, tags_of_contacts
from hongyan.audience.tagging.rules import rule_tag_keys
from hongyan.contacts.companies import company_assign, company_by_public_id, company_upsert
from hongyan.contacts.companies_selectors import company_suggestion
from hongyan.contacts.errors import CompanyNotFound, InvalidValues, NoteRefused
from hongyan.contacts.models import Company, Contact
from hongyan.contacts.services import contact_assign
from hongyan.contacts.timeline_notes import note_add, note_change, note_delete
from hongyan.web.contacts import words
from hongyan.web.contacts.common import actor_of, contact_or_404


@require_POST
def note_new(request: HttpRequest, public_id: UUID) -> HttpResponse:
    found, _identity = contact_or_404(request, public_id)
    try:
        note_add(actor=actor_of(request), contact_id=found.pk, text=request.POST.get("text", ""))
    except NoteRefused as refused:
        messages.error(request, refusal(refused.code))
    else:
        messages.success(request, _("Note kept"))
    return redirect("contacts:contact", public_id)


@require_POST
def note(request: HttpRequest, public_id: UUID, note_id: UUID) -> HttpResponse:
    """Change or delete; only whoever wrote it."""
    contact_or_404(request, public_id)
    actor = actor_of(request)
    try:
        if request.POST.get("act") == "delete":
            note_delete(actor=actor, public_id=note_id)
            messages.success(request, _("Note deleted"))
        else:
            note_change(actor=actor, public_id=note_id, text=request.POST.get("text", ""))
            messages.success(request, _("Note changed"))
    except NoteRefused as refused:
        messages.error(request, refusal(refused.code))
    return redirect("contacts:contact", public_id)


@require_POST
def owner(request: HttpRequest, public_id: UUID) -> HttpResponse:
    found, _identity = contact_or_404(request, public_id)
    chosen = owner_of(request.POST.get("owner", ""))
    if chosen is None and request.POST.get("owner"):
        messages.error(request, _("There is no such colleague."))
    else:
        contact_assign(actor=actor_of(request), contact_id=found.pk, owner_id=chosen.pk if chosen else None)
        messages.success(request, _("Owner changed"))
    return redirect("contacts:contact", public_id)


@require_POST
def company(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Whose company: by id, by name (made when there is none), or none."""
    actor = actor_of(request)
    found, _identity = contact_or_404(request, public_id)
    name, given = request.POST.get("name", "").strip(), request.POST.get("company", "")
    try:
        chosen: Company | None = None
        if given:
            chosen = company_by_public_id(actor=actor, public_id=UUID(given))
        elif name:
            chosen = company_upsert(actor=actor, source="staff", name=name)
        company_assign(actor=actor, company_id=chosen.pk if chosen else None, contact_ids=[found.pk])
    except (CompanyNotFound, ValueError):
        messages.error(request, _("There is no such company (any more)."))
    except InvalidValues as problem:
        messages.error(request, next(iter(problem.messages().values())))
    else:
        messages.success(request, _("Company changed"))
    return redirect("contacts:contact", public_id)


@require_safe
def choices(request: HttpRequest, public_id: UUID, what: str) -> HttpResponse:
    """A fragment: what a menu offers, asked for when it is opened."""
    actor = actor_of(request)
    found, _identity = contact_or_404(request, public_id)
    makers = {"tags": _tags, "lists": _lists, "owner": _owners, "company": _companies, "audiences": _audiences}
    if what not in makers:
        raise Http404
    given = makers[what](actor, found)
    return render(request, "contacts/parts/choices.html", {"what": what, "contact": found, **given})


def owner_of(text: str) -> User | None:
    try:
        return User.objects.filter(public_id=UUID(text), is_active=True).first()
    except ValueError:
        return None


def owners() -> list[tuple[str, str]]:
    """Colleagues who can have customers, by name."""
    rows = User.objects.filter(is_active=True).only("public_id", "name", "email")
    return sorted(((str(row.public_id), row.label) for row in rows), key=lambda row: row[1].casefold())


def refusal(code: str) -> str:
    return {
        "empty": _("Write something first."),
        "too_long": _("A note has at most 8,000 characters."),
        "not_author": _("Only who wrote a note can change it."),
        "gone": _("This note is gone already."),
    }.get(code, _("This note cannot be kept: it contains characters that cannot be stored."))


def _tags(actor: Actor, found: Contact) -> dict[str, Any]:
    held = {tag.pk for tag in tags_of_contacts(actor=actor, contact_ids=[found.pk])[found.pk]}
    ruled = rule_tag_keys()
    free = [
        tag for _group, tags in tag_tree(actor=actor) for tag in tags if tag.pk not in held and tag.key not in ruled
    ]
    return {"options": [(tag.key, words.tag_name(tag)) for tag in free]}


def _lists(_actor: Actor, found: Contact) -> dict[str, Any]:
    on = ListMember.objects.filter(contact_id=found.pk).values("list_id")
    rows = ContactList.objects.exclude(pk__in=on).order_by("name")
    return {"options": [(str(row.public_id), row.name) for row in rows]}


def _owners(_actor: Actor, found: Contact) -> dict[str, Any]:
    current = str(found.owner.public_id) if found.owner is not None else ""
    return {"options": owners(), "current": current}


def _companies(actor: Actor, found: Contact) -> dict[str, Any]:
    """What the domain of the address and the name of the company in the profile lead to."""
    return {"suggested": company_suggestion(actor=actor, contact=found), "names": _company_names()}


def _company_names() -> list[str]:
    rows = Company.objects.filter(merged_into=None).order_by("-updated_at")
    return list(rows.values_list("name", flat=True)[:200])


def _audiences(actor: Actor, found: Contact) -> dict[str, Any]:
    """Saved audiences this person is in now, and since when."""
    versions = list(current_versions())
    rows = belongings(actor=actor, contact_id=found.pk, versions=versions, catalogue=catalogue_now())
    inside = sorted((row for row in rows if row.inside), key=lambda row: row.audience.name.casefold())
    return {"inside": inside, "asked": len(rows)}
