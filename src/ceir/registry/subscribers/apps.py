from django.apps import AppConfig


class SubscribersConfig(AppConfig):
    """People and the numbers they hold, as operators report them."""

    name = "ceir.registry.subscribers"
    label = "subscribers"
