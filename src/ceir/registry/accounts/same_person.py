"""Which of the record's names are known to stand for one and the same person."""

from django.db.models import Q

from ceir.registry.accounts.models import Account, Client


def same_person(one: str, other: str) -> bool:
    """Whether two who act are one person, as far as the register knows: the same account, accounts with the
    same document or mail address, accounts that somebody said are the same person's, and programs that such
    a person answers for.

    Why more than one account counts: two pairs of eyes are two people, and not two log-ins.

    Args:
        one, other: as the record names them: `account:7`, `client:3`, `system`.
    """
    if one == other:
        return True
    account, behind = _account_behind(one), _account_behind(other)
    return account is not None and behind is not None and behind in accounts_of(account)


def is_answered_for(program: str) -> bool:
    """Whether it is known who answers for what a program does; of people and the system it always is."""
    kind, _, _ = program.partition(":")
    return kind != "client" or _account_behind(program) is not None


def accounts_of(account_id: int) -> frozenset[int]:
    """Every account that is known to be the same person's, this one among them."""
    found: frozenset[int] = frozenset()
    wanted = Q(pk=account_id)
    while True:
        rows = list(Account.objects.filter(wanted).values_list("pk", "same_as", "document_key", "email"))
        keys = frozenset(pk for pk, *_ in rows)
        if keys == found:
            return found
        found = keys
        wanted = Q(pk__in=keys) | Q(same_as__in=keys)
        for _, same_as, document, email in rows:
            wanted |= Q(pk=same_as) if same_as is not None else Q()
            wanted |= Q(document_key=bytes(document)) if document is not None else Q()
            wanted |= Q(email__iexact=email) if email else Q()


def _account_behind(name: str) -> int | None:
    kind, _, number = name.partition(":")
    if not number.isdecimal():
        return None
    if kind == "account":
        return int(number)
    if kind == "client":
        return Client.objects.filter(pk=int(number)).values_list("responsible", flat=True).first()
    return None
