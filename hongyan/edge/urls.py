from django.urls import URLPattern, URLResolver

app_name = "edge"
urlpatterns: list[URLPattern | URLResolver] = []
