from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "hongyan.campaigns"
    label = "campaigns"
