from django.apps import AppConfig


class WebContactsConfig(AppConfig):
    name = "hongyan.web.contacts"
    label = "web_contacts"
