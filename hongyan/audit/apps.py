from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "hongyan.audit"
    label = "audit"
