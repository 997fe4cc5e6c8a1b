from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "hongyan.delivery"
    label = "delivery"
