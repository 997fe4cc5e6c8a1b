from django.apps import AppConfig


class CommerceConfig(AppConfig):
    name = "hongyan.commerce"
    label = "commerce"

    def ready(self) -> None:
        from hongyan.commerce import privacy
        from hongyan.contacts.erasure import register_eraser
        from hongyan.contacts.merging import register_mover

        register_eraser("commerce", lambda contact_id: privacy.erase(contact_id=contact_id))
        register_mover("commerce", None, privacy.restore, tables=privacy.TABLES_ABOUT_PEOPLE, many=privacy.move_many)
