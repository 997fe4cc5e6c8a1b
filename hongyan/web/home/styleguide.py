"""A living page of every shared component, for those who build pages."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from hongyan.accounts.permissions import Permission
from hongyan.web.home.acting import actor_of
from hongyan.web.home.style_form import StyleForm

STATES = (
    *("draft", "awaiting_approval", "approved", "rejected", "scheduled", "queued", "running", "sending", "paused"),
    *("finished", "failed", "cancelled", "sent", "delivered", "deferred", "bounced", "uncertain", "refused"),
    *("given", "pending", "withdrawn", "none", "suppressed", "active", "invited", "expired"),
)
WEEKDAYS = "一二三四五六日"
SOURCE = """<mjml>
  <mj-body>
    <mj-text>{{ contact.given_name | default("朋友") }}</mj-text>
  </mj-body>
</mjml>"""


@require_GET
def styleguide(request: HttpRequest) -> HttpResponse:
    actor_of(request).require(Permission.SETTINGS_EDIT)
    form = StyleForm(request.GET) if request.GET.get("check") else StyleForm()
    rates = [0.31, 0.34, 0.33, 0.38, 0.41, 0.37, 0.42, 0.44, 0.4, 0.46]
    context = {
        "form": form,
        "states": STATES,
        "now": timezone.now(),
        "spark": [3, 5, 4, 8, 7, 9, 12, 11, 15],
        "line": {
            "categories": [f"{day} Nov" for day in range(1, 11)],
            "series": [
                {
                    "name": _("Opened"),
                    "values": rates,
                    "low": [r - 0.03 for r in rates],
                    "high": [r + 0.03 for r in rates],
                },
                {"name": _("Clicked"), "values": [r / 5 for r in rates]},
            ],
            "unit": "percent",
        },
        "bars": {
            "categories": ["08", "10", "12", "14", "16", "18", "20", "22"],
            "series": [{"name": _("Sent"), "values": [120, 860, 430, 610, 980, 540, 1210, 300]}],
        },
        "heat": {
            "categories": [f"{hour:02}" for hour in range(0, 24, 2)],
            "series": [
                {"name": name, "values": [(i * 7 + hour * 3) % 23 for hour in range(12)]}
                for i, name in enumerate(WEEKDAYS)
            ],
        },
        "bar_rows": [
            {"label": "https://shop.example.com/spring", "value": 412, "note": "4.2%"},
            {"label": "https://shop.example.com/tea", "value": 187, "note": "1.9%"},
            {"label": "https://shop.example.com/terms", "value": 23, "note": "0.2%", "tone": "quiet"},
        ],
        "source": SOURCE,
    }
    return render(request, "home/styleguide.html", context)
