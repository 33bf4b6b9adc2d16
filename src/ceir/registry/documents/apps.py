from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    """Photos and papers that prove something, kept outside the database."""

    name = "ceir.registry.documents"
    label = "documents"
