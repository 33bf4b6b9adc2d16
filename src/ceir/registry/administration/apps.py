from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig


class AdministrationConfig(AppConfig):
    """Pages of an office: what stands in the register, and the deeds that its people may do."""

    name = "ceir.registry.administration"
    label = "administration"


class DeskAdminConfig(SimpleAdminConfig):
    """Django's administration with our site; what others would put there by themselves is not looked for."""

    default_site = "ceir.registry.administration.site.DeskSite"
