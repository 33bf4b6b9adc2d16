from django.apps import AppConfig


class PairingsConfig(AppConfig):
    """Pairings: who may use equipment although its IMEI is blocked."""

    name = "ceir.registry.pairings"
    label = "pairings"
