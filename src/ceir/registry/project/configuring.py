"""Django for the register: what the installer says, turned into its settings in one place."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ceir.errors import CeirError

APPS = (
    "ceir.registry.audit",
    "ceir.registry.organisations",
    "ceir.registry.accounts",
    "ceir.registry.personal",
    "ceir.registry.proposals",
    "ceir.registry.documents",
    "ceir.registry.type_approvals",
    "ceir.registry.imports",
    "ceir.registry.codes",
    "ceir.registry.devices",
    "ceir.registry.subscribers",
    "ceir.registry.registrations",
    "ceir.registry.pairings",
    "ceir.registry.appeals",
    "ceir.registry.cases",
    "ceir.registry.runs",
    "ceir.registry.releases",
    "ceir.registry.notices",
)
"""Our applications; each holds the models of one capability."""

_LEAST_SECRET = 32


class RegistryConfigurationError(CeirError):
    """The register cannot run as it is set up."""

    code = "registry_configuration"
    exit_code = 2


@dataclass(frozen=True)
class RegistryOptions:
    """What the installer of a register says.

    Args:
        database: `postgresql://USER@HOST/NAME`; a path: SQLite.
        secret: signs sessions and one-time links; 32 characters or more.
        keys: folder of the keys of personal data, outside the database.
        documents: folder of photos and papers; None: beside that of the keys.
        notices: file that says how people are told; None: nobody is. See docs/notices.md.
        hosts: names under which pages are reached.
        debug: pages show errors in full; never in production.
    """

    database: str | Path
    secret: str
    keys: Path
    documents: Path | None = None
    notices: Path | None = None
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    debug: bool = False
    languages: tuple[tuple[str, str], ...] = field(default=(("en", "English"),))


def django_settings(options: RegistryOptions) -> dict[str, Any]:
    """Django's settings for these options.

    Raises:
        RegistryConfigurationError: the secret is short, or the database's address is none.
    """
    if len(options.secret) < _LEAST_SECRET:
        raise RegistryConfigurationError(
            "The secret is too short.", f"Give {_LEAST_SECRET} characters or more, drawn at random."
        )
    return {
        "SECRET_KEY": options.secret,
        "DEBUG": options.debug,
        "ALLOWED_HOSTS": list(options.hosts),
        "DATABASES": {"default": _database(options.database)},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "AUTH_USER_MODEL": "accounts.Account",
        "INSTALLED_APPS": [
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            "django_tasks",
            "django_tasks_db",
            *APPS,
        ],
        "MIDDLEWARE": [
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.locale.LocaleMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        "ROOT_URLCONF": "ceir.api.urls",
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        "TASKS": {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}},
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "LANGUAGES": list(options.languages),
        "LANGUAGE_CODE": options.languages[0][0],
        "STATIC_URL": "/static/",
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.ScryptPasswordHasher"],
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
            {
                "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
                "OPTIONS": {"min_length": 12},
            },
            {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
        ],
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": not options.debug,
        "CSRF_COOKIE_SECURE": not options.debug,
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "X_FRAME_OPTIONS": "DENY",
        "LOGGING_CONFIG": None,
        "CEIR_KEYS": options.keys,
        "CEIR_NOTICES": options.notices,
        "CEIR_DOCUMENTS": options.documents or options.keys.parent / "documents",
    }


def configure(options: RegistryOptions) -> None:
    """Make Django ready in this process; once.

    Raises:
        RegistryConfigurationError: as `django_settings`.
    """
    import django  # noqa: PLC0415 - only what serves or changes the register loads it
    from django.conf import settings  # noqa: PLC0415

    settings.configure(**django_settings(options))
    django.setup()


def new_secret() -> str:
    """A secret for `RegistryOptions`."""
    return secrets.token_urlsafe(48)


def _database(address: str | Path) -> dict[str, Any]:
    if isinstance(address, Path) or "://" not in address:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(address),
            # Readers do not wait for the writer; a writer waits for another, and takes its place at once,
            # so that two transactions that read first and write later do not end in a refusal.
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
            },
        }
    parts = urlsplit(address)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise RegistryConfigurationError(
            "The database's address is not one of PostgreSQL.", "postgresql://USER@HOST:PORT/NAME"
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.strip("/"),
        "USER": unquote(parts.username or ""),
        # A password belongs in PGPASSFILE or in a service; one in an address is taken for containers.
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": "openceir"},
    }
