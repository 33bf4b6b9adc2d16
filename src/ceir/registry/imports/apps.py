from django.apps import AppConfig


class ImportsConfig(AppConfig):
    """Consignments of licensed importers, with lists of IMEIs that nobody can browse."""

    name = "ceir.registry.imports"
    label = "imports"
