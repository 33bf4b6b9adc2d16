from django.apps import AppConfig


class RegistrationsConfig(AppConfig):
    """Registrations: whose a device is, on what ground it may be used, and how that changes hands."""

    name = "ceir.registry.registrations"
    label = "registrations"
