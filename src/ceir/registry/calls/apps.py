from django.apps import AppConfig


class CallsConfig(AppConfig):
    """Calls of programs: how many they may make, and what the first answer to a repeated one was."""

    name = "ceir.registry.calls"
    label = "calls"
