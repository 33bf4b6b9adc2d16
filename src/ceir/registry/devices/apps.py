from django.apps import AppConfig


class DevicesConfig(AppConfig):
    """Devices: sets of identifiers that are one physical thing."""

    name = "ceir.registry.devices"
    label = "devices"
