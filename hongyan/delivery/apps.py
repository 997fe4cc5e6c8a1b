from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "hongyan.delivery"
    label = "delivery"

    def ready(self) -> None:
        from hongyan.contacts.erasure import register_eraser
        from hongyan.contacts.merging import register_mover, register_staying
        from hongyan.delivery import merging, privacy

        register_eraser("delivery", lambda contact_id: privacy.erase(contact_id=contact_id))
        register_mover("delivery", None, merging.restore, tables=["delivery_message"], many=merging.move_many)
        register_staying("delivery_directcontent", "Belongs to a message, not to a contact.")
