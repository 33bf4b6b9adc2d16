from django.apps import AppConfig


class BackgroundConfig(AppConfig):
    """What the register does by itself: who does it, when it was done last, and what came of it."""

    name = "ceir.registry.background"
    label = "background"
