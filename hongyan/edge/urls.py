"""Pages that customers see. ``/o/``, ``/c/`` and ``/d/`` are answered before Django (``asgi``)."""

from django.urls import path

from hongyan.edge.shops.views import receive
from hongyan.edge.views import forms, preferences, unsubscribe, viewer

app_name = "edge"
urlpatterns = [
    path("u/<str:token>", unsubscribe.unsubscribe, name="unsubscribe"),
    path("p/<str:token>", preferences.preferences, name="preferences"),
    path("v/<str:token>", viewer.view_mail, name="view"),
    path("f/confirm/<str:token>", forms.confirmation, name="confirm"),
    path("f/<uuid:form_id>/", forms.hosted, name="form"),
    path("f/<uuid:form_id>/embed.js", forms.embed, name="form_embed"),
    path("hooks/shop/<uuid:shop_id>/", receive, name="shop_hook"),
    path("edge/language/", preferences.language, name="language"),
]
