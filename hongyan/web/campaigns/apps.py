from django.apps import AppConfig


class WebCampaignsConfig(AppConfig):
    name = "hongyan.web.campaigns"
    label = "web_campaigns"
