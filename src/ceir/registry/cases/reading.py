"""Seeing cases; what is personal in them stays sealed until somebody reads it on a legal basis."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from ceir.identifiers import Imei
from ceir.registry.accounts.permissions import RULES, Permission, require
from ceir.registry.actors import Actor, Role
from ceir.registry.cases.models import Case, Trace
from ceir.registry.cases.moving import UnknownCaseError, locked, require_for
from ceir.registry.cases.states import CaseError
from ceir.registry.documents import keeping
from ceir.registry.documents.keeping import DocumentMissingError
from ceir.registry.documents.models import Document
from ceir.registry.personal.fields import Access, Sealed
from ceir.registry.personal.reading import reading

MOST_DOCUMENTS = 10
"""Of one case."""


@dataclass(frozen=True)
class Person:
    """Whose device it is, and what he said; empty: not given, or shredded."""

    owner_name: str
    msisdn: str
    contact: str
    description: str

    def __repr__(self) -> str:
        return "Person(...)"


def cases_for(actor: Actor) -> QuerySet[Case]:
    """The cases that an actor may see, the newest first.

    Raises:
        PermissionDeniedError: none.
    """
    require(actor, Permission.CASE_READ)
    cases = Case.objects.select_related("organisation", "police")
    role = actor.acts_as
    if role is Role.CONSUMER:
        return cases.filter(reported_by=actor.id)
    if role in RULES[Permission.CASE_READ].own:
        return cases.filter(Q(organisation=actor.organisation) | Q(police=actor.organisation))
    return cases


def case_for(actor: Actor, case_id: int) -> Case:
    """One of them.

    Raises:
        UnknownCaseError: there is none, or it is not for the actor: which, is not said.
    """
    case = cases_for(actor).filter(pk=case_id).first()
    if case is None:
        raise UnknownCaseError(f"There is no case {case_id} for you.", "Look for it by its device.")
    return case


def cases_of(imei: Imei, *, actor: Actor) -> QuerySet[Case]:
    """The cases of a device that an actor may see."""
    return cases_for(actor).filter(identities__imei=imei.number)


def person_of(case_id: int, *, access: Access) -> Person:
    """Whose device it is; that it was read is kept whatever happens then.

    Raises:
        PermissionDeniedError: the case is not the reader's.
        UnknownCaseError: there is none.
        RuntimeError: within another transaction, whose failure would take the record of reading with it.
    """
    with reading():
        case = Case.objects.filter(pk=case_id).first()
        if case is None:
            raise UnknownCaseError(f"There is no case {case_id}.", "Look for it by its device.")
        require_for(access.actor, Permission.PERSONAL_READ, case)
        fields = (case.owner_name, case.msisdn, case.contact, case.description)
        return Person(*("" if f is None else _read(f, access, case) for f in fields))


def traces_for(actor: Actor) -> QuerySet[Trace]:
    """The traces of the cases of the actor's station; who and where is read with `Trace.reveal`.

    Raises:
        PermissionDeniedError: the actor is of no station.
    """
    require(actor, Permission.TRACE_READ)
    return Trace.objects.filter(case__police=actor.organisation).select_related("case")


def add_document(case_id: int, octets: bytes, *, actor: Actor, at: datetime) -> Document:
    """Keep what proves something about a case: a bill, a photo of the box, the police's paper.

    Args:
        octets: a JPEG, PNG or PDF of at most 10 MB, whatever its name said.

    Raises:
        PermissionDeniedError: it is not the actor's case.
        CaseError: there is none, it has ended, or has 10 already.
        DocumentRefusedError: it is something else, broken or too large.
    """
    with transaction.atomic():
        case = locked(case_id)
        require_for(actor, Permission.CASE_AMEND, case)
        if case.ended_at is not None:
            raise CaseError(f"The case is {case.state}.", "Nothing needs to be proven any more.")
        kept = keeping.keep(octets, f"case:{case.pk}", actor=actor, at=at)
        if documents_of(case).count() > MOST_DOCUMENTS:
            raise CaseError(
                f"The case has {MOST_DOCUMENTS} documents already.", "Put pages together in one PDF."
            )
    return kept


def documents_of(case: Case) -> QuerySet[Document]:
    """The documents of a case that were not shredded."""
    return Document.objects.filter(subject=f"case:{case.pk}", shredded_at__isnull=True).select_related(
        "content"
    )


def read_document(case_id: int, document_id: int, *, access: Access) -> tuple[str, bytes]:
    """A document of a case, with its media type; that it was read is kept whatever happens then.

    Raises:
        PermissionDeniedError: the case is not the reader's.
        UnknownCaseError, DocumentMissingError: there is none.
        RuntimeError: within another transaction.
    """
    with reading():
        case = Case.objects.filter(pk=case_id).first()
        if case is None:
            raise UnknownCaseError(f"There is no case {case_id}.", "Look for it by its device.")
        require_for(access.actor, Permission.PERSONAL_READ, case)
        document = documents_of(case).filter(pk=document_id).first()
        if document is None:
            raise DocumentMissingError("The case has no such document.", "List the documents of the case.")
        return document.content.media_type, keeping.read(document, access)


def _read(field: object, access: Access, case: Case) -> str:
    if not isinstance(field, Sealed):
        raise TypeError("a value that was not read from the database is not sealed")
    return field.reveal(access, f"case:{case.pk}")
