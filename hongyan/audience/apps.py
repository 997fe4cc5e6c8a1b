from django.apps import AppConfig


class AudienceConfig(AppConfig):
    name = "hongyan.audience"
    label = "audience"

    def ready(self) -> None:
        from hongyan.audience import merging, privacy
        from hongyan.audience.membership import owning
        from hongyan.contacts.erasure import register_eraser
        from hongyan.contacts.merging import register_mover

        register_eraser("audience", lambda contact_id: privacy.erase(contact_id=contact_id))
        register_mover("audience", None, merging.restore, tables=merging.PLACES, many=merging.move_many)
        owning.register()
