from django.apps import AppConfig


class WebSourcesConfig(AppConfig):
    name = "hongyan.web.sources"
    label = "web_sources"
