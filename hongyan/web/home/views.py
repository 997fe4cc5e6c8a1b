from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from hongyan.web.home import board
from hongyan.web.home.acting import actor_of


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What needs me now, how the last campaigns did, and the way to a first one."""
    actor = actor_of(request)
    steps = board.first_steps(actor)
    results = board.results(actor)
    context = {
        "items": board.attention(actor),
        "results": results[: board.RESULTS_SHOWN],
        "trend": board.trend(results),
        "steps": steps,
        "steps_done": sum(step.done for step in steps),
        "create_url": board.link("campaigns:create"),
        "reports_url": board.link("reports:index"),
    }
    return render(request, "home/index.html", context)
