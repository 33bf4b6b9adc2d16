"""Django for the register: what the installer says, turned into its settings in one place."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ceir.errors import CeirError
from ceir.registry.country.reading import Decided
from ceir.registry.project.identity_providers import IdentityProvider

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
    "ceir.registry.logins",
    "ceir.registry.background",
    "ceir.registry.calls",
    "ceir.registry.references",
    "ceir.registry.bulk",
    "ceir.registry.webhooks",
    "ceir.registry.editions",
    "ceir.registry.notices",
)
"""Our applications; each holds the models of one capability."""

_LEAST_SECRET = 32
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "[::1]"})
_YEAR = 365 * 24 * 3600


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
        tls: pages are reached over TLS only; None: they are, unless every host is this machine.
        proxies: of the installer's own before the register; what they write of addresses and TLS is believed.
        identity_providers: by which people may log in.
        certificate_header: in which whatever ends TLS tells the certificate of a program; empty: no header
            is believed.
        signing_key: Ed25519 key (PEM) that signs lists over the API, the one that signs snapshots; None: they
            go out unsigned.
        api_per_minute: calls that a program may make, unless it has an allowance of its own.
        exempt_device_types: kinds of device (as the TAC list names them) that need no registration; the same
            as in the policy.
        country: what the country decides; None: only what does without, and its clock is UTC.
        webhooks_private: webhooks may lead into networks of the installer's own, and without TLS.
    """

    database: str | Path
    secret: str
    keys: Path
    documents: Path | None = None
    notices: Path | None = None
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    debug: bool = False
    tls: bool | None = None
    proxies: int = 0
    identity_providers: tuple[IdentityProvider, ...] = ()
    certificate_header: str = ""
    signing_key: Path | None = None
    api_per_minute: int = 6000
    exempt_device_types: tuple[str, ...] = ()
    webhooks_private: bool = False
    country: Decided | None = None
    languages: tuple[tuple[str, str], ...] = field(default=(("en", "English"),))

    @property
    def over_tls(self) -> bool:
        """Whether pages are reached over TLS only."""
        if self.debug:
            return False
        return self.tls if self.tls is not None else not set(self.hosts) <= _THIS_MACHINE


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
            "ceir.registry.administration.apps.DeskAdminConfig",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            "django_tasks",
            "django_tasks_db",
            *APPS,
            "ceir.registry.administration.apps.AdministrationConfig",
            "allauth",
            "allauth.account",
            "allauth.mfa",
            "allauth.socialaccount",
            "allauth.socialaccount.providers.openid_connect",
        ],
        "MIDDLEWARE": [
            "ceir.api.edge.ApiEdge",
            "django.middleware.security.SecurityMiddleware",
            "ceir.registry.project.headers.HeadersMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.locale.LocaleMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "allauth.account.middleware.AccountMiddleware",
            "ceir.registry.logins.sessions.SessionMiddleware",
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
        # The clock of pages, of days and of messages; the database keeps UTC all the same.
        "TIME_ZONE": options.country.own.time_zone if options.country else "UTC",
        "LANGUAGES": list(options.languages),
        "LANGUAGE_CODE": options.languages[0][0],
        "STATIC_URL": "/static/",
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.ScryptPasswordHasher"],
        "AUTH_PASSWORD_VALIDATORS": [
            {
                "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
                "OPTIONS": {"user_attributes": ("login", "name", "email")},
            },
            {
                "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
                "OPTIONS": {"min_length": 12},
            },
            {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
            {"NAME": "ceir.registry.accounts.passwords.VariedValidator"},
        ],
        **_hardened(options),
        **_logins(options),
        "LOGGING_CONFIG": None,
        "CEIR_CERTIFICATE_HEADER": options.certificate_header,
        "CEIR_SIGNING_KEY": options.signing_key,
        # The API refuses by the length that a request claims; files are streamed and not counted here.
        "DATA_UPLOAD_MAX_MEMORY_SIZE": 8_000_000,
        "CEIR_COUNTRY": options.country,
        "CEIR_API_PER_MINUTE": options.api_per_minute,
        "CEIR_WEBHOOKS_PRIVATE": options.webhooks_private,
        "CEIR_EXEMPT_DEVICE_TYPES": options.exempt_device_types,
        "CEIR_KEYS": options.keys,
        "CEIR_NOTICES": options.notices,
        "CEIR_DOCUMENTS": options.documents or options.keys.parent / "documents",
    }


def _hardened(options: RegistryOptions) -> dict[str, Any]:
    """What browsers are told, so that a mistake of ours harms nobody."""
    tls = options.over_tls
    # A browser takes a cookie whose name begins so only over TLS, for this host alone.
    prefix = "__Host-" if tls else ""
    return {
        "SESSION_COOKIE_NAME": f"{prefix}ceir-session",
        "SESSION_COOKIE_HTTPONLY": True,
        # A browser that comes back from an identity provider must bring its session along.
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": tls,
        "CSRF_COOKIE_NAME": f"{prefix}ceir-csrf",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_SECURE": tls,
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "SECURE_REFERRER_POLICY": "same-origin",
        "SECURE_CROSS_ORIGIN_OPENER_POLICY": "same-origin",
        "SECURE_HSTS_SECONDS": _YEAR if tls else 0,
        "SECURE_SSL_REDIRECT": tls,
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https") if options.proxies else None,
        "X_FRAME_OPTIONS": "DENY",
        # Names under the same domain that are not the register's are not ours to bind to TLS, nor to a list.
        "SILENCED_SYSTEM_CHECKS": ["security.W005", "security.W021"],
        "CEIR_FORMS_GO_TO": tuple(
            sorted({origin for p in options.identity_providers for origin in p.origins})
        ),
        "CEIR_PROXIES": options.proxies,
    }


def _logins(options: RegistryOptions) -> dict[str, Any]:
    return {
        "AUTHENTICATION_BACKENDS": ["ceir.registry.logins.backends.AccountBackend"],
        "LOGIN_URL": "account_login",
        "LOGIN_REDIRECT_URL": "account",
        "LOGOUT_REDIRECT_URL": "account_login",
        "ACCOUNT_ADAPTER": "ceir.registry.logins.adapters.AccountAdapter",
        "ACCOUNT_USER_MODEL_USERNAME_FIELD": "login",
        "ACCOUNT_LOGIN_METHODS": {"username"},
        "ACCOUNT_SIGNUP_FIELDS": ["username*", "password1*"],
        "ACCOUNT_EMAIL_VERIFICATION": "none",
        "ACCOUNT_SESSION_REMEMBER": False,
        "ACCOUNT_LOGOUT_REDIRECT_URL": "account_login",
        "ACCOUNT_LOGIN_TIMEOUT": 900,
        # They count in the memory of one process; `logins.limiting` counts in the database.
        "ACCOUNT_RATE_LIMITS": False,
        "MFA_ADAPTER": "ceir.registry.logins.adapters.SecondFactorAdapter",
        "MFA_SUPPORTED_TYPES": ["totp", "recovery_codes"],
        "MFA_RECOVERY_CODE_DIGITS": 12,
        "SOCIALACCOUNT_ADAPTER": "ceir.registry.logins.adapters.ProviderAdapter",
        "SOCIALACCOUNT_STORE_TOKENS": False,
        "SOCIALACCOUNT_PROVIDERS": {
            "openid_connect": {
                "provider_class": "ceir.registry.logins.identity_providers.Provider",
                "OAUTH_PKCE_ENABLED": True,
                "APPS": [provider.as_allauth_has_it() for provider in options.identity_providers],
            }
        },
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
        "ENGINE": "ceir.registry.project.postgresql",
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
