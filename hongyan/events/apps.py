from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "hongyan.events"
    label = "events"
