from django.apps import AppConfig


class AudienceConfig(AppConfig):
    name = "hongyan.audience"
    label = "audience"
