from django.apps import AppConfig


class CommerceConfig(AppConfig):
    name = "hongyan.commerce"
    label = "commerce"
