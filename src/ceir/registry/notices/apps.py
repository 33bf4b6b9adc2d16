from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """People are told before their device is blocked."""

    name = "ceir.registry.notices"
    label = "notices"
