from django.apps import AppConfig


class WebCatcherConfig(AppConfig):
    name = "hongyan.web.catcher"
    label = "web_catcher"
