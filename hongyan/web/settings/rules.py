"""Approval rules."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hongyan.accounts.approval_rules import approval_rule_delete, approval_rule_save, approval_rules
from hongyan.accounts.approval_states import RuleKind
from hongyan.accounts.errors import BadValue, NotFound
from hongyan.accounts.permissions import Permission
from hongyan.web.settings.common import acting, needs
from hongyan.web.settings.forms import RuleForm, refuse
from hongyan.web.settings.words import rule_sentence


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Who prepares campaigns may read the rules that bind them."""
    rows = [(rule, rule_sentence(rule)) for rule in approval_rules(actor=acting(request))]
    return render(request, "settings/approval_rules.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.SETTINGS_EDIT)
def edit(request: HttpRequest, public_id: UUID | None = None) -> HttpResponse:
    rule = None
    if public_id is not None:
        rule = next((row for row in approval_rules(actor=acting(request)) if row.public_id == public_id), None)
        if rule is None:
            raise NotFound
    fields = ("kind", "min_size", "tag", "approvers", "enabled")
    form = RuleForm(request.POST or None, initial={field: getattr(rule, field) for field in fields} if rule else None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data | {"kind": RuleKind(form.cleaned_data["kind"])}
        try:
            approval_rule_save(actor=acting(request), rule_id=public_id, **values)
        except BadValue as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved"))
            return redirect("settings:approval_rules")
    return render(request, "settings/approval_rule.html", {"form": form, "rule": rule})


@require_POST
@needs(Permission.SETTINGS_EDIT)
def deletion(request: HttpRequest, public_id: UUID) -> HttpResponse:
    approval_rule_delete(actor=acting(request), rule_id=public_id)
    messages.success(request, _("Deleted"))
    return redirect("settings:approval_rules")
