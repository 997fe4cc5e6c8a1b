from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "hongyan.accounts"
    label = "accounts"
