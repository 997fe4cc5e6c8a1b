from django.apps import AppConfig


class WebSettingsConfig(AppConfig):
    name = "hongyan.web.settings"
    label = "web_settings"
