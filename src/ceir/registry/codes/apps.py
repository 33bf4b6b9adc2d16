from django.apps import AppConfig


class CodesConfig(AppConfig):
    """One-time codes: who holds a number shows it by reading a code sent there."""

    name = "ceir.registry.codes"
    label = "codes"
