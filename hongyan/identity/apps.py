from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "hongyan.identity"
    label = "identity"
