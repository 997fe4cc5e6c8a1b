from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "hongyan.delivery"
    label = "delivery"

    def ready(self) -> None:
        from hongyan.contacts.erasure import register_eraser
        from hongyan.delivery import privacy

        register_eraser("delivery", lambda contact_id: privacy.erase(contact_id=contact_id))
