from django.apps import AppConfig


class EdgeConfig(AppConfig):
    name = "hongyan.edge"
    label = "edge"
