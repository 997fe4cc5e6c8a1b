from django.urls import path

from hongyan.api.app import api

app_name = "api"
urlpatterns = [path("", api.urls)]
