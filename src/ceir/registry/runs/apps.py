from django.apps import AppConfig


class RunsConfig(AppConfig):
    """What the pipeline decided, as the register took it over."""

    name = "ceir.registry.runs"
    label = "runs"
