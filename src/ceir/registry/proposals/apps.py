from django.apps import AppConfig


class ProposalsConfig(AppConfig):
    """Four eyes: what one person asks for and another decides."""

    name = "ceir.registry.proposals"
    label = "proposals"
