from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "hongyan.config"
    label = "config"
