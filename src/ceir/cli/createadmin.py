import getpass
import sys
from typing import Annotated

import typer

from ceir.cli._register import open_register
from ceir.cli._session import Session
from ceir.cli.declaration import Command, Example, Panel
from ceir.errors import UsageError

REGULATOR = "regulator"
"""Code of the organisation that the first administrator belongs to."""

_ENOUGH = 2
"""Administrators, who can do the rest between them."""


def createadmin(
    session: Session,
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="Name to log in with.")],
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="The person's name.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    document: Annotated[
        str,
        typer.Option(
            "--document",
            metavar="TEXT",
            help="Number of the person's document, of which a keyed hash is kept: nobody is two people.",
        ),
    ] = "",
    emergency: Annotated[
        str,
        typer.Option(
            "--emergency", metavar="REASON", help="Why, where two administrators are there already."
        ),
    ] = "",
) -> None:
    """Make an account that may make others."""
    open_register(session)
    from django.contrib.auth.password_validation import validate_password  # noqa: PLC0415 - Django is set up now
    from django.core.exceptions import ValidationError  # noqa: PLC0415
    from django.db import transaction  # noqa: PLC0415

    from ceir.registry.accounts.models import Account  # noqa: PLC0415
    from ceir.registry.actors import SYSTEM, OrganisationKind, Role  # noqa: PLC0415
    from ceir.registry.audit.chain import record  # noqa: PLC0415
    from ceir.registry.free_text import free_text  # noqa: PLC0415
    from ceir.registry.organisations.models import Organisation  # noqa: PLC0415

    if Account.objects.filter(login__iexact=login).exists():
        raise UsageError(f"There is an account {login!r} already.", "Choose another login.")
    there = Account.objects.filter(role=Role.ADMINISTRATOR.value, is_active=True, organisation__active=True)
    if there.count() >= _ENOUGH and not emergency:
        raise UsageError(
            f"There are {there.count()} administrators: they make further accounts, two of them each.",
            "If nobody of them can log in: --emergency with the reason, which is kept.",
        )
    basis = free_text(emergency, "The reason", 250) or "the first accounts"
    # Never an option: what is typed on a command line is seen by everybody on the machine.
    password = (
        sys.stdin.readline().rstrip("\n")
        if password_stdin
        else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    account = Account(
        login=login,
        name=name or login,
        role=Role.ADMINISTRATOR.value,
        created_at=session.now,
        document_key="".join(free_text(document, "A document", 100).split()).upper() or None,
    )
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
        record(
            SYSTEM, "account.made", f"account:{account.pk}", at=session.now, basis=f"command line: {basis}",
            detail={"role": account.role, "machine_user": getpass.getuser(), "emergency": bool(emergency)},
        )  # fmt: skip
    session.data({"account": account.pk, "login": login})
    session.say(f"Administrator {login} was made.")


COMMAND = Command(
    name="createadmin",
    panel=Panel.KEEP,
    place=61,
    purpose="Make an administrator's account.",
    explanation="Two administrators open organisations and make the accounts of everybody else: whatever "
    "gives rights takes two people. The first two are made here, on the machine, and that is recorded with "
    "the name of the machine's user; where there are two, more are made only in an emergency, whose reason "
    "is kept. The password is asked for, or read from standard input; it is never an option.",
    examples=(
        Example("ceir createadmin amina --name 'Amina Yusuf'", "the first account"),
        Example(
            "ceir createadmin oumar --emergency 'both administrators left, letter 12/2026'",
            "when nobody can log in any more",
        ),
    ),
    function=createadmin,
    uses="change",
)
