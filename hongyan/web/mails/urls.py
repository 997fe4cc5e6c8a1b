from django.urls import URLPattern, URLResolver

app_name = "mails"
urlpatterns: list[URLPattern | URLResolver] = []
