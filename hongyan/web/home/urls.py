from django.urls import URLPattern, URLResolver, path

from hongyan.web.home import preferences, search, views

app_name = "home"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.index, name="index"),
    path("language/", preferences.language, name="language"),
    path("theme/", preferences.theme, name="theme"),
    path("search/", search.results, name="search"),
]
