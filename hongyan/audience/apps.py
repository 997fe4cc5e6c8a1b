from django.apps import AppConfig


class AudienceConfig(AppConfig):
    name = "hongyan.audience"
    label = "audience"

    def ready(self) -> None:
        from hongyan.audience import privacy
        from hongyan.contacts.erasure import register_eraser

        register_eraser("audience", lambda contact_id: privacy.erase(contact_id=contact_id))
