from django.apps import AppConfig


class LoginsConfig(AppConfig):
    """How people come in: password and second factor, an identity provider, or a number and a code."""

    name = "ceir.registry.logins"
    label = "logins"

    def ready(self) -> None:
        """Have every log-in and log-out kept."""
        from ceir.registry.logins import recording  # noqa: PLC0415 - needs the models

        recording.listen()
