from django.apps import AppConfig


class WebCampaignsConfig(AppConfig):
    name = "hongyan.web.campaigns"
    label = "web_campaigns"

    def ready(self) -> None:
        from hongyan.web.campaigns import search  # noqa: F401  registers the provider of the palette
