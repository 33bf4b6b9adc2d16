from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    """Who takes part: the regulator, operators, police, customs, importers, dealers, laboratories."""

    name = "ceir.registry.organisations"
    label = "organisations"
