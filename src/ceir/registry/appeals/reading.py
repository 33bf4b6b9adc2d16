"""What people wrote in an appeal, in clear: on a legal basis, and each read recorded."""

from collections.abc import Mapping
from dataclasses import dataclass

from ceir.registry.accounts.permissions import RULES, Permission, require
from ceir.registry.appeals.appealing import none_such
from ceir.registry.appeals.models import Appeal
from ceir.registry.personal.fields import Access, Sealed
from ceir.registry.personal.reading import reading


@dataclass(frozen=True)
class Words:
    """What an appeal says; what was shredded is empty.

    Args:
        evidence: of each document its number, where it lies, and the remark.
    """

    why: str
    asked_for: str
    evidence: tuple[tuple[int, str, str], ...]


def words_of(appeal_id: int, *, access: Access) -> Words:
    """For whoever examines or decides.

    Raises:
        PermissionDeniedError: he does neither, or may not read personal data.
        AppealError: there is none.
    """
    require(access.actor, Permission.PERSONAL_READ)
    if access.actor.acts_as not in RULES[Permission.APPEAL_DECIDE].roles:
        require(access.actor, Permission.APPEAL_EXAMINE)
    with reading():
        return _words(Appeal.objects.filter(pk=appeal_id).first(), access)


def by_name(appeal: Appeal, access: Access) -> Mapping[str, str]:
    """The same for a desk."""
    words = words_of(appeal.pk, access=access)
    found = {"Why": words.why, "Asked for": words.asked_for}
    for number, reference, remark in words.evidence:
        found[f"Document {number} lies at"] = reference
        found[f"Remark on document {number}"] = remark
    return found


def _words(appeal: Appeal | None, access: Access) -> Words:
    if appeal is None:
        raise none_such()

    def clear(value: Sealed | None) -> str:
        return "" if value is None else value.reveal(access, str(appeal))

    documents = appeal.evidence.order_by("pk")
    return Words(
        clear(appeal.why),
        clear(appeal.asked_for),
        tuple((one.pk, clear(one.reference), clear(one.remark)) for one in documents),
    )
