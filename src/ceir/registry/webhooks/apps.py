from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Programs of others that are told when something happens."""

    name = "ceir.registry.webhooks"
    label = "webhooks"
