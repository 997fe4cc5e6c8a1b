from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "hongyan.identity"
    label = "identity"

    def ready(self) -> None:
        from hongyan.contacts.erasure import register_eraser
        from hongyan.identity import pairs_merging, privacy

        register_eraser("identity", lambda contact_id: privacy.erase(contact_id=contact_id))
        pairs_merging.register()
