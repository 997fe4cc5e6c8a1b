from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "hongyan.web"
    label = "web"
