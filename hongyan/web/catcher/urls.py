from django.urls import URLPattern, URLResolver, path

from hongyan.web.catcher import pages

app_name = "catcher"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.index, name="index"),
    path("list/", pages.rows, name="list"),
    path("deletion/", pages.delete_all, name="delete_all"),
    path("<uuid:public_id>/body/", pages.body, name="body"),
    path("<uuid:public_id>/source/", pages.source, name="source"),
    path("<uuid:public_id>/unsubscription/", pages.unsubscribe, name="unsubscribe"),
]
