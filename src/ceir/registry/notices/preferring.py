"""What people wish: in which language they are told, or that they are not, where the law lets them."""

from datetime import datetime
from typing import ClassVar

from django.db import transaction

from ceir.errors import CeirError
from ceir.identifiers import InvalidIdentifierError, Msisdn
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import SYSTEM, Actor
from ceir.registry.audit.chain import record
from ceir.registry.gateways import Incoming
from ceir.registry.notices.models import Preference
from ceir.registry.notices.terms import NoticeTerms

_LONGEST_WORD = 20


class PreferenceError(CeirError):
    """A wish cannot be kept."""

    code: ClassVar[str] = "preference_refused"


def choose_language(
    number: Msisdn, language: str, terms: NoticeTerms, *, actor: Actor, at: datetime
) -> Preference:
    """Tell this number in a language.

    Raises:
        PermissionDeniedError: the actor may not.
        PreferenceError: there are no texts in it.
    """
    require(actor, Permission.NOTICE_PREFER)
    if language not in terms.languages:
        raise PreferenceError(
            "There are no notices in that language.", f"Texts: {', '.join(terms.languages)}."
        )
    return _prefer(number, "language", {"language": language}, actor, at)


def opt_out(number: Msisdn, terms: NoticeTerms, *, actor: Actor, at: datetime) -> Preference:
    """Send this number no more notices.

    Raises:
        PermissionDeniedError: the actor may not.
        PreferenceError: the law does not let people refuse them.
    """
    require(actor, Permission.NOTICE_PREFER)
    if not terms.opt_out:
        raise PreferenceError("Notices cannot be refused.", "People are told by law before they are cut off.")
    return _prefer(number, "opted_out", {"opted_out_at": at}, actor, at)


def opt_in(number: Msisdn, *, actor: Actor, at: datetime) -> Preference:
    """Send this number notices again.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    require(actor, Permission.NOTICE_PREFER)
    return _prefer(number, "opted_in", {"opted_out_at": None}, actor, at)


def heed(incoming: Incoming, terms: NoticeTerms, *, at: datetime) -> bool:
    """Do what somebody wrote, if it is one of the words for no more notices or for notices again.

    Whoever can write from a number holds it. Returns: whether it was one.
    """
    word = incoming.text.strip().strip(".!").upper()
    try:
        number = Msisdn(incoming.sender.removeprefix("+"))
    except InvalidIdentifierError:
        return False
    if len(word) > _LONGEST_WORD or not number.is_countable:
        return False
    spoken = [terms.wordings[language] for language in terms.languages]
    if terms.opt_out and any(word in wording.stop for wording in spoken):
        opt_out(number, terms, actor=SYSTEM, at=at)
        return True
    if any(word in wording.start for wording in spoken):
        opt_in(number, actor=SYSTEM, at=at)
        return True
    return False


def _prefer(number: Msisdn, what: str, values: dict[str, object], actor: Actor, at: datetime) -> Preference:
    with transaction.atomic():
        found, _ = Preference.objects.update_or_create(number=number.digits, defaults=values)
        record(actor, f"notice.{what}", f"preference:{found.pk}", at=at)
    return found
