from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People and programs that may do something, and what."""

    name = "ceir.registry.accounts"
    label = "accounts"
