from django.urls import URLPattern, URLResolver, path

from hongyan.web.home import jobs, preferences, search, styleguide, views

app_name = "home"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.index, name="index"),
    path("language/", preferences.language, name="language"),
    path("theme/", preferences.theme, name="theme"),
    path("search/", search.results, name="search"),
    path("jobs/", jobs.index, name="jobs"),
    path("jobs/tray/", jobs.tray, name="jobs_tray"),
    path("jobs/<uuid:public_id>/<slug:name>/", jobs.act, name="job_act"),
    path("styleguide/", styleguide.styleguide, name="styleguide"),
]
