from django.apps import AppConfig


class WebMailsConfig(AppConfig):
    name = "hongyan.web.mails"
    label = "web_mails"
