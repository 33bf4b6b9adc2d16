from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Who did or read what, why; nothing can be taken away unseen."""

    name = "ceir.registry.audit"
    label = "audit"
