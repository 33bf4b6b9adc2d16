"""The register as the benchmark serves it; CEIR_BENCH_DATABASE and CEIR_BENCH_KEYS say which one."""

import os
from pathlib import Path

from ceir.registry.project.configuring import RegistryOptions, configure

SECRET = "for measuring only " * 3


def options() -> RegistryOptions:
    return RegistryOptions(
        database=os.environ["CEIR_BENCH_DATABASE"],
        secret=SECRET,
        keys=Path(os.environ["CEIR_BENCH_KEYS"]),
        api_per_minute=10_000_000,
    )


def application(environ, start_response):  # type: ignore[no-untyped-def]
    return _django()(environ, start_response)


_made = []


def _django():  # type: ignore[no-untyped-def]
    if not _made:
        from django.core.wsgi import get_wsgi_application

        configure(options())
        _made.append(get_wsgi_application())
    return _made[0]
