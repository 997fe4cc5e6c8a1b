from django.apps import AppConfig


class WebAudiencesConfig(AppConfig):
    name = "hongyan.web.audiences"
    label = "web_audiences"

    def ready(self) -> None:
        from hongyan.web.audiences import search  # noqa: F401  registers the provider of the palette
