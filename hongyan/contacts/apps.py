from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "hongyan.contacts"
    label = "contacts"

    def ready(self) -> None:
        from hongyan.contacts import rows_merging
        from hongyan.contacts.objects_privacy import register_moving

        rows_merging.register()
        register_moving()
