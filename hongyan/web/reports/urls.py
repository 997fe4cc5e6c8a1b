from django.urls import URLPattern, URLResolver, path

from hongyan.web.reports import campaign, exports, overview

app_name = "reports"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview.index, name="index"),
    path("campaigns/<uuid:public_id>", campaign.report, name="campaign"),
    path("campaigns/<uuid:public_id>/people", campaign.people, name="people"),
    path("campaigns/<uuid:public_id>/export.<str:kind>", exports.figures, name="export"),
    path("campaigns/<uuid:public_id>/people.<str:kind>", exports.people, name="export_people"),
]
