from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "hongyan.analytics"
    label = "analytics"
