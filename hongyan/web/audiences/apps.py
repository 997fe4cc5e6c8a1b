from django.apps import AppConfig


class WebAudiencesConfig(AppConfig):
    name = "hongyan.web.audiences"
    label = "web_audiences"
