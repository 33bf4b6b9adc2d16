from django.apps import AppConfig


class AppealsConfig(AppConfig):
    """Appeals: who says that a decision about his device is wrong is heard within days, or has it back."""

    name = "ceir.registry.appeals"
    label = "appeals"
