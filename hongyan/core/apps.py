from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "hongyan.core"
    label = "core"
