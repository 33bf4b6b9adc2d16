"""Certificates as the pipeline takes them in."""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import groupby

from ceir.registry.exports import Export
from ceir.registry.type_approvals.models import CertificateState, CertifiedTac

_LEAVING = (CertificateState.VALID.value, CertificateState.SUSPENDED.value, CertificateState.WITHDRAWN.value)


def rows(at: datetime) -> Iterator[tuple[str, ...]]:  # noqa: ARG001 - the list says from when to when by itself
    """A row a TAC and certificate, sorted by both; drafts are nobody's business yet."""
    found = (
        CertifiedTac.objects.filter(certificate__state__in=_LEAVING)
        .select_related("certificate", "model")
        .order_by("tac")
    )
    # Databases sort texts each by its own rules: within a TAC the numbers are sorted here.
    for _, same in groupby(found.iterator(chunk_size=2000), key=lambda entry: entry.tac):
        for entry in sorted(same, key=lambda entry: entry.certificate.number):
            certificate = entry.certificate
            yield (
                entry.tac,
                certificate.number,
                certificate.holder,
                str(entry.model),
                certificate.state,
                _day(certificate.valid_from),
                _day(certificate.valid_until),
            )


def _day(day: date | None) -> str:
    return f"{day:%Y%m%d}" if day else ""


EXPORTS = (
    Export(
        "type-approvals",
        "Certificates of models that may be used, by TAC, with those suspended and withdrawn.",
        ("tac", "certificate", "holder", "model", "status", "valid_from", "valid_until"),
        rows,
    ),
)
