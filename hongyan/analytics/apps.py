from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "hongyan.analytics"
    label = "analytics"

    def ready(self) -> None:
        from hongyan.analytics import privacy
        from hongyan.contacts.erasure import register_eraser
        from hongyan.contacts.merging import register_tables
        from hongyan.contacts.owned import Owned

        register_eraser("analytics", lambda contact_id: privacy.erase(contact_id=contact_id))
        key = ("origin_kind", "origin_id", "mark", "link", "message_id")
        register_tables("analytics", Owned("analytics_messagemark", key=key))
