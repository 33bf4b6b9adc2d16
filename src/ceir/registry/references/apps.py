from django.apps import AppConfig


class ReferencesConfig(AppConfig):
    """Lists that are looked things up in: models by TAC, and when networks saw which equipment."""

    name = "ceir.registry.references"
    label = "references"
