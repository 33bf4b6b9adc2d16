from django.apps import AppConfig


class EditionsConfig(AppConfig):
    """The lists that go out, numbered, so that whoever has one edition gets what changed since."""

    name = "ceir.registry.editions"
    label = "editions"
