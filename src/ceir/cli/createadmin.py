import sys
from typing import Annotated

import typer

from ceir.cli._register import open_register
from ceir.cli._session import Session
from ceir.cli.declaration import Command, Example, Panel
from ceir.errors import UsageError

REGULATOR = "regulator"
"""Code of the organisation that the first administrator belongs to."""


def createadmin(
    session: Session,
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="Name to log in with.")],
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="The person's name.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Make an account that may make others."""
    open_register(session)
    from django.contrib.auth.password_validation import validate_password  # noqa: PLC0415 - Django is set up now
    from django.core.exceptions import ValidationError  # noqa: PLC0415
    from django.db import transaction  # noqa: PLC0415

    from ceir.registry.accounts.models import Account  # noqa: PLC0415
    from ceir.registry.actors import SYSTEM, OrganisationKind, Role  # noqa: PLC0415
    from ceir.registry.audit.chain import record  # noqa: PLC0415
    from ceir.registry.organisations.models import Organisation  # noqa: PLC0415

    if Account.objects.filter(login__iexact=login).exists():
        raise UsageError(f"There is an account {login!r} already.", "Choose another login.")
    # Never an option: what is typed on a command line is seen by everybody on the machine.
    password = (
        sys.stdin.readline().rstrip("\n")
        if password_stdin
        else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    account = Account(login=login, name=name or login, role=Role.ADMINISTRATOR.value, created_at=session.now)
    try:
        validate_password(password, account)
    except ValidationError as error:
        raise UsageError(
            " ".join(error.messages), "12 characters or more; a sentence is easy to keep."
        ) from error
    account.set_password(password)
    with transaction.atomic():
        regulator, _ = Organisation.objects.get_or_create(
            code=REGULATOR,
            defaults={
                "kind": OrganisationKind.REGULATOR.value,
                "name": "Regulator",
                "created_at": session.now,
            },
        )
        account.organisation = regulator
        account.full_clean(exclude=["password"])
        account.save()
        record(SYSTEM, "account.made", f"account:{account.pk}", at=session.now, basis="command line")
    session.data({"account": account.pk, "login": login})
    session.say(f"Administrator {login} was made.")


COMMAND = Command(
    name="createadmin",
    panel=Panel.KEEP,
    place=61,
    purpose="Make an administrator's account.",
    explanation="An administrator enters organisations and makes the accounts of everybody else. The "
    "password is asked for, or read from standard input; it is never an option.",
    examples=(Example("ceir createadmin amina --name 'Amina Yusuf'", "the first account"),),
    function=createadmin,
    uses="change",
)
