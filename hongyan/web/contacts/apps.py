from django.apps import AppConfig


class WebContactsConfig(AppConfig):
    name = "hongyan.web.contacts"
    label = "web_contacts"

    def ready(self) -> None:
        from hongyan.web.contacts import search  # noqa: F401  registers the provider of the palette
