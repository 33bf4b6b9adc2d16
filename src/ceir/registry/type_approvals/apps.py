from django.apps import AppConfig


class TypeApprovalsConfig(AppConfig):
    """Models that may be used in the country: certificates, tests, market surveillance, counterfeits."""

    name = "ceir.registry.type_approvals"
    label = "type_approvals"
