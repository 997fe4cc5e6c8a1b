"""Addresses of all rooms. Each web area, the API and the edge keep their own ``urls.py``."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path

from hongyan.web.settings.health import health, prometheus
from hongyan.web.settings.one_time import one_time_link


def not_offered(request: HttpRequest) -> HttpResponse:
    del request
    raise Http404


urlpatterns = [
    path("", include("hongyan.web.home.urls")),
    path("contacts/", include("hongyan.web.contacts.urls")),
    path("imports/", include("hongyan.web.imports.urls")),
    path("data/", include("hongyan.web.sources.urls")),
    path("events/", include("hongyan.web.events.urls")),
    path("duplicates/", include("hongyan.web.identity.urls")),
    path("shop/", include("hongyan.web.commerce.urls")),
    path("audiences/", include("hongyan.web.audiences.urls")),
    path("mails/", include("hongyan.web.mails.urls")),
    path("campaigns/", include("hongyan.web.campaigns.urls")),
    path("caught/", include("hongyan.web.catcher.urls")),
    path("reports/", include("hongyan.web.reports.urls")),
    path("settings/", include("hongyan.web.settings.urls")),
    path("account/one-time/<str:token>/", one_time_link, name="one_time_link"),
    # Addresses of staff are changed by administrators: nobody takes another's by typing it.
    path("account/email/", not_offered),
    path("account/", include("allauth.urls")),
    path("health/", health, name="health"),
    path("metrics", prometheus, name="metrics"),
    path("api/v1/", include("hongyan.api.urls")),
    path("", include("hongyan.edge.urls")),
]

handler400 = "hongyan.web.refusals.bad_request"
handler403 = "hongyan.web.refusals.forbidden"
handler404 = "hongyan.web.refusals.not_found"
handler500 = "hongyan.web.refusals.server_error"
