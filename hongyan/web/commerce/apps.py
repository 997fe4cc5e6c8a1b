from django.apps import AppConfig


class WebCommerceConfig(AppConfig):
    name = "hongyan.web.commerce"
    label = "web_commerce"
