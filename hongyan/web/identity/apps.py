from django.apps import AppConfig


class WebIdentityConfig(AppConfig):
    name = "hongyan.web.identity"
    label = "web_identity"
