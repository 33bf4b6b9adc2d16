from django.apps import AppConfig


class CasesConfig(AppConfig):
    """Stolen and lost devices: reported, verified, blocked, found, given back."""

    name = "ceir.registry.cases"
    label = "cases"
