from django.apps import AppConfig


class WebReportsConfig(AppConfig):
    name = "hongyan.web.reports"
    label = "web_reports"
