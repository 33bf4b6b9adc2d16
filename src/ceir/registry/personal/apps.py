from django.apps import AppConfig


class PersonalConfig(AppConfig):
    """Personal data: encrypted at rest, found by keyed hashes, read only with a reason that is kept."""

    name = "ceir.registry.personal"
    label = "personal"
