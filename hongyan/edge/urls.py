"""Pages that customers see. ``/o/``, ``/c/`` and ``/d/`` are answered before Django (``asgi``)."""

from django.urls import path

from hongyan.edge.views import preferences, unsubscribe, viewer

app_name = "edge"
urlpatterns = [
    path("u/<str:token>", unsubscribe.unsubscribe, name="unsubscribe"),
    path("p/<str:token>", preferences.preferences, name="preferences"),
    path("v/<str:token>", viewer.view_mail, name="view"),
    path("edge/language/", preferences.language, name="language"),
]
