from django.urls import path

from hongyan.api.app import api

# No name of its own around it: ninja reverses its addresses in the namespace that app.py gives.
urlpatterns = [path("", api.urls)]
