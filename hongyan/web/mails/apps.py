from django.apps import AppConfig


class WebMailsConfig(AppConfig):
    name = "hongyan.web.mails"
    label = "web_mails"

    def ready(self) -> None:
        from hongyan.web.mails import search  # noqa: F401  registers the provider of the palette
