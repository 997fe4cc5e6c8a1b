from django.apps import AppConfig


class WebHomeConfig(AppConfig):
    name = "hongyan.web.home"
    label = "web_home"
