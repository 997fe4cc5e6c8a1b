from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "hongyan.campaigns"
    label = "campaigns"

    def ready(self) -> None:
        from hongyan.audience.replacing import register_replacer
        from hongyan.audience.usage import register_finder
        from hongyan.campaigns.replacing import replace_in_drafts
        from hongyan.campaigns.selectors import uses_of

        register_finder(uses_of)
        register_replacer(replace_in_drafts)
