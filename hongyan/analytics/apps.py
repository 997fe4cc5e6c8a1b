from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "hongyan.analytics"
    label = "analytics"

    def ready(self) -> None:
        from hongyan.analytics import privacy
        from hongyan.contacts.erasure import register_eraser

        register_eraser("analytics", lambda contact_id: privacy.erase(contact_id=contact_id))
