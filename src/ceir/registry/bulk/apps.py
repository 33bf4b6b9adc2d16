from django.apps import AppConfig


class BulkConfig(AppConfig):
    """Questions of a hundred thousand identifiers, answered in the background."""

    name = "ceir.registry.bulk"
    label = "bulk"
