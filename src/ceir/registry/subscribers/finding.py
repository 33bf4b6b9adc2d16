"""Who holds a number."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from ceir.identifiers import Msisdn
from ceir.registry.subscribers.models import Line, Person


def line_of(number: Msisdn, *, lock: bool = False) -> Line | None:
    """The line that a number is now; None: the register knows of none."""
    lines = Line.objects.select_for_update() if lock else Line.objects.all()
    return lines.filter(number_key=number.digits, ended_at=None).first()


def line_proven(number: Msisdn, *, at: datetime) -> Line:
    """The line of somebody who proved that he holds a number; made, with nobody known by name, if need be.

    Within the caller's transaction; the line is locked.
    """
    found = line_of(number, lock=True)
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return Line.objects.create(
                person=unknown(at=at),
                number=number.digits,
                number_key=number.digits,
                since=at,
            )
    except IntegrityError:  # somebody was faster with the same number
        made = line_of(number, lock=True)
        assert made is not None
        return made


def person_of_document(document: str) -> Person | None:
    """The person with a document; who was merged has none any more."""
    return Person.objects.filter(document_key=document).first()


def known_as(document: str, name: str, *, at: datetime) -> Person:
    """The person with a document, entered if need be."""
    found = person_of_document(document)
    if found is not None:
        if found.ended_at is not None:  # he is back
            Person.objects.filter(pk=found.pk).update(ended_at=None)
        return found
    try:
        with transaction.atomic():
            return Person.objects.create(
                document=document, document_key=document, name=name or None, entered_at=at
            )
    except IntegrityError:  # somebody was faster with the same document
        return Person.objects.get(document_key=document)


def unknown(*, at: datetime) -> Person:
    """Somebody of whom nothing is known but that he is one."""
    return Person.objects.create(entered_at=at)


def name_person(line: Line, document: str, name: str) -> None:
    """Say whose a locked line is, if nobody knew; he may be somebody who is known already."""
    person = canonical(line.person)
    if person.document_key is not None:
        return
    known = person_of_document(document)
    if known is None:
        person.document, person.document_key, person.name = document, document, name or None
        person.save()
        return
    Person.objects.filter(pk=person.pk).update(merged_into=known)
    Person.objects.filter(pk=known.pk, ended_at__isnull=False).update(ended_at=None)
    Line.objects.filter(person=person).update(person=known)
    line.person = known


def uid_of(person: int) -> str:
    """How the pipeline names a person."""
    return f"P-{person:010}"


def canonical(person: Person) -> Person:
    """Who somebody turned out to be."""
    return person if person.merged_into is None else person.merged_into


def everyone(person: Person) -> Q:
    """Narrows what has a `person` to what is this person's, under whatever entry he was known."""
    whole = person.merged_into_id or person.pk
    # Looked up first: a condition on the joined table instead would keep the index from being used.
    merged = Person.objects.filter(merged_into=whole).values_list("pk", flat=True)
    return Q(person__in=[whole, *merged])
