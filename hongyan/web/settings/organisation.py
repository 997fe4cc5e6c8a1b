from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from hongyan.accounts.errors import BadValue
from hongyan.accounts.organisation import organisation, organisation_change
from hongyan.accounts.permissions import Permission
from hongyan.web.settings.common import acting, needs
from hongyan.web.settings.forms import OrganisationForm, refuse


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.SETTINGS_EDIT)
def edit(request: HttpRequest) -> HttpResponse:
    present = organisation()
    fields = ("name", "postal_address", "default_language", "time_zone", "second_factor")
    form = OrganisationForm(request.POST or None, initial={field: getattr(present, field) for field in fields})
    if request.method == "POST" and form.is_valid():
        try:
            organisation_change(actor=acting(request), **form.cleaned_data)
        except BadValue as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved"))
            return redirect("settings:organisation")
    return render(request, "settings/organisation.html", {"form": form})
