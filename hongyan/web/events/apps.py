from django.apps import AppConfig


class WebEventsConfig(AppConfig):
    name = "hongyan.web.events"
    label = "web_events"
