"""Which value stays when two differ: the organisation's rules."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from hongyan.accounts.permissions import Permission
from hongyan.contacts.models import Contact
from hongyan.identity import review
from hongyan.identity.errors import RuleRefused
from hongyan.identity.models_merging import SurvivorshipRule
from hongyan.identity.rules import rule_set, ruled_fields
from hongyan.identity.survivorship import DEFAULT
from hongyan.identity.types import Rule
from hongyan.web.identity import words
from hongyan.web.identity.shared import actor_of


@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_MERGE)
    if request.method == "POST":
        return _save(request)
    stored = {row.field: row for row in SurvivorshipRule.objects.all()}
    return render(
        request,
        "identity/rules.html",
        {
            "default": _line(DEFAULT, stored.get(DEFAULT)),
            "lines": [_line(field, stored.get(field)) for field in ruled_fields()],
            "rules": [(str(rule), str(words.RULES[rule])) for rule in Rule],
            "sources": _known_sources(),
            "may_edit": actor.may(Permission.SETTINGS_EDIT),
            "total": review.open_count(actor=actor),
        },
    )


def _save(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.SETTINGS_EDIT)
    stored = {row.field: (row.rule, list(row.sources)) for row in SurvivorshipRule.objects.all()}
    for field in (DEFAULT, *ruled_fields()):
        rule = request.POST.get(f"rule.{field}", "")
        sources = [name.strip() for name in request.POST.get(f"sources.{field}", "").replace(",", ",").split(",")]
        wanted = (rule, [name for name in sources if name] if rule == Rule.SOURCE else [])
        if wanted == stored.get(field, ("", [])):
            continue
        try:
            rule_set(actor=actor, field=field, rule=rule, sources=wanted[1])
        except RuleRefused as refused:
            messages.error(request, f"{_name(field)}: {words.REFUSALS[refused.code]}")
            return redirect("identity:rules")
    messages.success(request, _("The rules are saved. They hold for merges from now on."))
    return redirect("identity:rules")


def _line(field: str, row: SurvivorshipRule | None) -> dict[str, Any]:
    return {
        "field": field,
        "label": _name(field),
        "rule": row.rule if row else "",
        "sources": ", ".join(row.sources) if row else "",
    }


def _name(field: str) -> str:
    return _("All fields") if field == DEFAULT else words.field_name(field)


def _known_sources() -> list[str]:
    """Kinds of sources that contacts came from, for completing what is typed."""
    names = Contact.objects.exclude(source="").values_list("source", flat=True).distinct()[:200]
    return sorted({name.partition(":")[0] for name in names} | {"staff", "form", "api", "import"})
