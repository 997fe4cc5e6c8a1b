"""Where the organisation requires a second factor of privileged people, they set one up before anything else."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from hongyan.accounts.models import OrganisationSettings
from hongyan.accounts.selectors import second_factor_missing
from hongyan.web.settings.common import acting

_REQUIRE = OrganisationSettings.SecondFactor.REQUIRE
_OPEN = ("/account/", "/static/", "/language/", "/theme/", "/health/", "/metrics", "/api/")


class SecondFactorMiddleware:
    """Stands behind StaffMiddleware, which says who acts."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if self._must_set_up(request):
            target = reverse("mfa_index")
            if request.headers.get("HX-Request"):
                answer = HttpResponse(status=403)
                answer.headers["HX-Redirect"] = target
                return answer
            return HttpResponseRedirect(target)
        return self.get_response(request)

    def _must_set_up(self, request: HttpRequest) -> bool:
        if request.path.startswith(_OPEN):
            return False
        return second_factor_missing(actor=acting(request)) == _REQUIRE
