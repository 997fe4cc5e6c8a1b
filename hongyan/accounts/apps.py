from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "hongyan.accounts"
    label = "accounts"

    def ready(self) -> None:
        from hongyan.accounts import signals  # noqa: F401  connects
