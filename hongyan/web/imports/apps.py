from django.apps import AppConfig


class WebImportsConfig(AppConfig):
    name = "hongyan.web.imports"
    label = "web_imports"
