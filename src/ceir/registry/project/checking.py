"""Settings for tools that read code without running a register: type checks, making migrations."""

from pathlib import Path

from ceir.registry.project.configuring import RegistryOptions, django_settings

globals().update(
    django_settings(RegistryOptions(database=Path(":memory:"), secret="only for tools " * 3, keys=Path()))
)
CEIR_KEYS = Path()
CEIR_DOCUMENTS = Path()
CEIR_NOTICES: Path | None = None
CEIR_SIGNING_KEY: Path | None = None
CEIR_API_PER_MINUTE = 6000
CEIR_WEBHOOKS_PRIVATE = False
CEIR_EXEMPT_DEVICE_TYPES: tuple[str, ...] = ()
CEIR_CERTIFICATE_HEADER = ""
CEIR_PROXIES = 0
CEIR_FORMS_GO_TO: tuple[str, ...] = ()
"""Spelled out, because type checks see only what is."""
