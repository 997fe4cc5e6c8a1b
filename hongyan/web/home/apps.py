from django.apps import AppConfig


class WebHomeConfig(AppConfig):
    name = "hongyan.web.home"
    label = "web_home"

    def ready(self) -> None:
        from hongyan.web.home import search  # noqa: F401  registers the palette's own providers
