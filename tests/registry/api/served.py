"""Serves a register of its own: a migrated database, one program, a real granian process.

python served.py DATABASE KEYS PORT
python served.py DATABASE KEYS work     (answers jobs, in another process)
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ceir.registry.project.configuring import RegistryOptions, configure

SECRET = "correct horse battery staple, and more of it"


def options() -> RegistryOptions:
    return RegistryOptions(
        database=os.environ["SERVED_DATABASE"],
        secret="for tests only " * 3,
        keys=Path(os.environ["SERVED_KEYS"]),
    )


def prepare() -> None:
    configure(options())
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    from ceir.registry.accounts.models import Client
    from ceir.registry.organisations.models import Organisation

    now = datetime.now(UTC)
    owner, _ = Organisation.objects.get_or_create(
        code="served", defaults={"kind": "public", "name": "served", "created_at": now}
    )
    from django.contrib.auth.hashers import make_password

    Client.objects.get_or_create(
        identifier="served",
        defaults={
            "name": "served", "secret_hash": make_password(SECRET), "organisation": owner,
            "role": "consumer", "scopes": ["status.read"], "created_at": now,
        },
    )  # fmt: skip


def work() -> None:
    configure(options())
    from django.core.management import call_command

    call_command("db_worker", interval=0.2, verbosity=0)
    sys.exit()


_made: list[Any] = []


def application(environ: Any, start_response: Any) -> Any:
    if not _made:
        from django.core.wsgi import get_wsgi_application

        configure(options())
        _made.append(get_wsgi_application())
    return _made[0](environ, start_response)


if __name__ == "__main__":
    os.environ["SERVED_DATABASE"], os.environ["SERVED_KEYS"] = sys.argv[1:3]
    if sys.argv[3] == "work":
        work()
    prepare()
    os.chdir(Path(__file__).parent)
    os.execv(  # noqa: S606 - granian takes this process's place
        sys.executable,
        [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
            *("--port", sys.argv[3], "--workers", "1", "--blocking-threads", "2", "--log-level", "error"),
            "served:application",
        ],
    )
