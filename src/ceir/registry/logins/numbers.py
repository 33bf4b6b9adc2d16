"""Consumers: whoever holds a number comes in with a code sent there, and sees what belongs to it."""

from datetime import datetime, timedelta

from django.db import transaction

from ceir.identifiers import Msisdn
from ceir.registry.accounts.models import Account
from ceir.registry.actors import Actor, OrganisationKind, Role
from ceir.registry.audit.chain import record
from ceir.registry.codes.drawing import Draw
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import Proof, issue, use, verify
from ceir.registry.logins.models import Holder
from ceir.registry.notices.outbox import send_code
from ceir.registry.organisations.models import Organisation
from ceir.registry.personal.fields import keys
from ceir.registry.subscribers.models import Line

FORGOTTEN_AFTER = timedelta(days=180)
"""A number that was not proven for so long may be somebody else's by now: he gets an account of his own."""

PUBLIC = "public"
"""Code of the organisation that consumers belong to."""

_SEALED = "session number"


def visitor(token: str) -> Actor:
    """Somebody before he proved his number; the code that he asks for is his alone.

    Args:
        token: of his session, drawn at random.
    """
    return Actor(f"visitor:{token}", Role.CONSUMER.value)


def ask(number: Msisdn, *, draw: Draw, actor: Actor, at: datetime) -> None:
    """Have a code sent to a number; whether the register knows it makes no difference.

    Raises:
        CodeError: nobody can hold such a number.
        TooManyCodesError: with how long to wait.
        GatewayError: no way to send messages is set up; the code does not count against the number.
    """
    with transaction.atomic():
        issued = issue(Purpose.LOGIN, number, draw=draw, actor=actor, at=at)
        send_code(number, issued.text, Purpose.LOGIN, at)


def prove(number: Msisdn, typed: str, *, actor: Actor, login: str, at: datetime) -> Account:
    """The account of whoever typed the right code.

    Args:
        login: for an account that is made, drawn by the caller.

    Raises:
        CodeError: the code is wrong, too old, used, or somebody else's.
        TooManyCodesError: too many wrong ones.
    """
    proof = verify(Purpose.LOGIN, number, typed, actor=actor, at=at)
    with transaction.atomic():
        account = _account_of(proof, login, at)
        use(proof, Purpose.LOGIN, actor=actor, at=at)
    return account


def seal(number: Msisdn) -> str:
    """A number as a session keeps it."""
    return keys().encrypt(_SEALED, number.digits).hex()


def unseal(text: str) -> Msisdn:
    """The number of a session."""
    return Msisdn(keys().decrypt(_SEALED, bytes.fromhex(text)))


def _account_of(proof: Proof, login: str, at: datetime) -> Account:
    digits = proof.number.digits
    # One holder a number: the organisation's row is what two log-ins at once wait for each other at.
    public, _ = Organisation.objects.get_or_create(
        code=PUBLIC,
        defaults={"kind": OrganisationKind.PUBLIC.value, "name": "Public", "created_at": at},
    )
    holder = (
        Holder.objects.select_for_update(of=("self",))
        .select_related("account__organisation")
        .filter(number=digits, ended_at=None)
        .first()
    )
    if holder is not None and _same_hands(holder, digits, at):
        holder.last_proven_at = at
        holder.save()
        return holder.account
    if holder is not None:
        holder.ended_at = at
        holder.save()
        Account.objects.filter(pk=holder.account_id).update(is_active=False, sessions_since=at)
    account = Account(login=login, name="", role=Role.CONSUMER.value, organisation=public, created_at=at)
    account.set_unusable_password()
    account.save(force_insert=True)
    Holder.objects.create(account=account, number=digits, since=at, last_proven_at=at)
    record(account.actor, "account.made", f"account:{account.pk}", at=at, basis="number proven")
    return account


def _same_hands(holder: Holder, digits: str, at: datetime) -> bool:
    """Whether the number is still with whom the account is."""
    if at - holder.last_proven_at > FORGOTTEN_AFTER:
        return False
    return not Line.objects.filter(number_key=digits, ended_at__gt=holder.since).exists()
