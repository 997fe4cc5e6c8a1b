from django.apps import AppConfig


class CommerceConfig(AppConfig):
    name = "hongyan.commerce"
    label = "commerce"

    def ready(self) -> None:
        from hongyan.commerce import privacy
        from hongyan.contacts.erasure import register_eraser

        register_eraser("commerce", lambda contact_id: privacy.erase(contact_id=contact_id))
