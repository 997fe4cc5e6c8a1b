from django.apps import AppConfig


class ContentConfig(AppConfig):
    name = "hongyan.content"
    label = "content"
