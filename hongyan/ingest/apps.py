from django.apps import AppConfig


class IngestConfig(AppConfig):
    name = "hongyan.ingest"
    label = "ingest"
