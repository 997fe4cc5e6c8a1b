from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "hongyan.campaigns"
    label = "campaigns"

    def ready(self) -> None:
        from hongyan.audience.usage import register_finder
        from hongyan.campaigns.selectors import uses_of

        register_finder(uses_of)
