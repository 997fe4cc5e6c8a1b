from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "hongyan.jobs"
    label = "jobs"
