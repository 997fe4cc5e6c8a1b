"""Companies: the list, one company with its people, changing, merging."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.commerce.models import ContactFacts
from hongyan.contacts.companies import (
    company_assign,
    company_by_public_id,
    company_create,
    company_merge,
    company_unmerge,
    company_update,
)
from hongyan.contacts.companies_linking import link_start
from hongyan.contacts.companies_selectors import (
    CompanyFilters,
    company_count,
    company_duplicates,
    company_industries,
    company_merges,
    company_page,
    company_people,
    company_people_counts,
)
from hongyan.contacts.companies_values import FIELDS, SIZES
from hongyan.contacts.errors import CompanyNotFound, InvalidValues, problem_text
from hongyan.contacts.listing import contact_rows
from hongyan.contacts.models import Company, Contact
from hongyan.web.contacts import words
from hongyan.web.contacts.common import actor_of
from hongyan.web.contacts.company_mail import company_mail
from hongyan.web.contacts.company_words import FIELD_LABELS, size_name
from hongyan.web.contacts.page_notes import owner_of, owners
from hongyan.web.contacts.timeline_companies import company_timeline
from hongyan.web.contacts.timeline_events import money_text

PER_PAGE = 50
_KEPT = ("industry", "size", "country", "q")


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    asked = {key: request.GET.get(key, "").strip()[:200] for key in _KEPT}
    filters = CompanyFilters(
        search=asked["q"], industry=asked["industry"], size=asked["size"], country=asked["country"]
    )
    rows, more = company_page(actor=actor, filters=filters, after=read_after(request), limit=PER_PAGE)
    people = company_people_counts(actor=actor, company_ids=[row.pk for row in rows])
    total = company_count(actor=actor, filters=filters)
    context = {
        "lines": [
            {
                "row": row,
                "people": people.get(row.pk, 0),
                "country": words.country_name(row.country),
                "size": size_name(row.size),
            }
            for row in rows
        ],
        "after": write_after(more),
        "total": total,
        "asked": asked,
        "filtered": any(asked.values()),
        "industries": company_industries(),
        "sizes": [(size, size_name(size)) for size in SIZES],
    }
    return render(request, "contacts/companies.html", context)


@require_safe
def company(request: HttpRequest, public_id: UUID) -> HttpResponse:
    found = company_or_404(request, public_id)
    if found.merged_into is not None:
        return redirect("contacts:company", found.merged_into.public_id)
    actor = actor_of(request)
    ids, more = company_people(actor=actor, company_id=found.pk, after=read_after(request), limit=PER_PAGE)
    tab = request.GET.get("tab", "people")
    total = Contact.objects.filter(company=found).count()
    context: dict[str, Any] = {
        "company": found,
        "country": words.country_name(found.country),
        "size_text": size_name(found.size),
        "source": words.source_name(found.source),
        "tab": tab if tab in {"people", "timeline"} else "people",
        "total": total,
        "bought": _bought(found),
        "active": _active(found),
        "mail": company_mail(actor=actor, company=found),
        "duplicates": company_duplicates(found) if actor.may(Permission.CONTACT_EDIT) else [],
        "merges": company_merges(found),
    }
    if context["tab"] == "people":
        context |= {"people": contact_rows(actor=actor, contact_ids=ids), "after": write_after(more)}
    else:
        context["days"] = company_timeline(actor=actor, company=found)
    return render(request, "contacts/company.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, public_id: UUID | None = None) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_EDIT)
    found = company_or_404(request, public_id) if public_id is not None else None
    values = {key: getattr(found, key) if found is not None else "" for key in FIELDS}
    problems: dict[str, str] = {}
    owner = str(found.owner.public_id) if found is not None and found.owner is not None else ""
    if request.method == "POST":
        values = {key: request.POST.get(key, "").strip() for key in FIELDS}
        owner = request.POST.get("owner", "")
        try:
            chosen = owner_of(owner)
            if found is None:
                found = company_create(actor=actor, values=values, owner_id=chosen.pk if chosen else None)
            else:
                company_update(actor=actor, company_id=found.pk, values=values)
                Company.objects.filter(pk=found.pk).update(owner=chosen)
        except InvalidValues as refused:
            problems = {key: problem_text(code) for key, code in refused.problems.items()}
        else:
            messages.success(request, _("Saved"))
            return redirect("contacts:company", found.public_id)
    context = {
        "company": found,
        "inputs": [(key, FIELD_LABELS[key], values[key], problems.get(key, "")) for key in FIELDS if key != "size"],
        "size_value": values["size"],
        "sizes": [(size, size_name(size)) for size in SIZES],
        "owners": owners(),
        "owner": owner,
    }
    return render(request, "contacts/company_form.html", context, status=422 if problems else 200)


@require_POST
def merge(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Another company goes into this one, or a merge is taken back."""
    actor = actor_of(request)
    found = company_or_404(request, public_id)
    try:
        if undo := request.POST.get("undo", ""):
            number = int(undo) if undo.isdecimal() else 0
            wanted = next((row for row in company_merges(found) if row.pk == number), None)
            if wanted is None:
                raise CompanyNotFound
            company_unmerge(actor=actor, merge_id=wanted.pk)
            messages.success(request, _("The merge is undone: both companies are there again."))
        else:
            other = company_by_public_id(actor=actor, public_id=UUID(request.POST.get("other", "")))
            done = company_merge(actor=actor, survivor_id=found.pk, loser_id=other.pk)
            n = len(done.contact_ids)
            text = ngettext("Merged; %(n)d person came over.", "Merged; %(n)d people came over.", n)
            messages.success(request, text % {"n": n})
    except (CompanyNotFound, InvalidValues, ValueError):
        messages.error(request, _("These two cannot be merged (any more)."))
    return redirect("contacts:company", public_id)


@require_POST
def remove_person(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    found = company_or_404(request, public_id)
    try:
        person = Contact.objects.filter(public_id=UUID(request.POST.get("contact", "")), company=found).first()
    except ValueError:
        person = None
    if person is not None:
        company_assign(actor=actor, company_id=None, contact_ids=[person.pk])
        messages.success(request, _("No longer with this company"))
    return redirect("contacts:company", public_id)


@require_POST
def link(request: HttpRequest) -> HttpResponse:
    """Link people to companies by the domain of their address or the company their profile names."""
    link_start(actor=actor_of(request), make=request.POST.get("make") == "1")
    messages.success(request, _("Linking has begun; its progress stands at the top of the page."))
    return redirect("contacts:companies")


def company_or_404(request: HttpRequest, public_id: UUID) -> Company:
    try:
        return company_by_public_id(actor=actor_of(request), public_id=public_id)
    except CompanyNotFound:
        raise Http404 from None


def read_after(request: HttpRequest) -> tuple[datetime, int] | None:
    stamp, _tilde, number = request.GET.get("after", "").rpartition("~")
    if not number.isdecimal() or len(number) > 18:
        return None
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return (at, int(number)) if at.tzinfo is not None else None


def write_after(more: tuple[datetime, int] | None) -> str:
    return f"{more[0].isoformat()}~{more[1]}" if more is not None else ""


def _bought(found: Company) -> list[tuple[str, int]]:
    """Sums of the people's orders with their number, per currency of the sums."""
    rows = ContactFacts.objects.filter(contact__company=found).values_list("currency")
    sums = rows.annotate(total=Sum("total_minor"), n=Sum("orders")).order_by("-total")
    return [(money_text(total, currency), n) for currency, total, n in sums if n]


def _active(found: Company) -> datetime | None:
    newest = Contact.objects.filter(company=found, last_activity_at__isnull=False).order_by("-last_activity_at")
    return newest.values_list("last_activity_at", flat=True).first()
