from django.apps import AppConfig


class ReleasesConfig(AppConfig):
    """Blocks that are released by stages, and overrides of all of them."""

    name = "ceir.registry.releases"
    label = "releases"
