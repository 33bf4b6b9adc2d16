"""Certificates, reports of laboratories, audits of the market, counterfeits."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Actor
from ceir.registry.administration.declaring import (
    Deed,
    Desk,
    choice,
    done,
    in_state,
    plain,
    reason,
    with_reason,
    words,
)
from ceir.registry.type_approvals import certificates, counterfeits, proposing, surveillance
from ceir.registry.type_approvals.models import (
    Certificate,
    CertificateEvent,
    CertificateState,
    CertifiedModel,
    CertifiedTac,
    CounterfeitPhoto,
    CounterfeitReport,
    CounterfeitState,
    Finding,
    FollowUp,
    LabReport,
    Measurement,
    Sample,
    Standard,
    Surveillance,
    SurveillanceState,
)

_READ = (Permission.APPROVAL_READ,)
_MARKET = (Permission.SURVEILLANCE_MANAGE, Permission.APPROVAL_DECIDE, Permission.AUDIT_READ)
_TO = {
    CertificateState.VALID.value: "in force",
    CertificateState.SUSPENDED.value: "suspended",
    CertificateState.WITHDRAWN.value: "withdrawn",
}


def _propose_state(row: Certificate, typed: Mapping[str, Any], actor: Actor, at: datetime) -> object:
    to = CertificateState(typed["to"])
    return proposing.propose_state(row.pk, to, actor=actor, reason=typed["reason"], at=at)


DESKS = (
    Desk(
        Certificate,
        sees=_READ,
        shown=("number", "holder", "state", "revision", "valid_from", "valid_until"),
        filters=("state",),
        find=("=number", "holder"),
        deeds=(
            Deed(
                "propose",
                "Ask for another state",
                Permission.APPROVAL_PROPOSE,
                done(_propose_state),
                {"to": lambda: choice("To be", _TO), "reason": reason},
            ),
            Deed(
                "drop",
                "Drop the draft",
                Permission.APPROVAL_PROPOSE,
                with_reason(certificates.drop),
                {"reason": reason},
                in_state(CertificateState.DRAFT),
            ),
        ),
    ),
    Desk(
        CertifiedModel,
        sees=_READ,
        shown=("certificate", "manufacturer", "name"),
        find=("manufacturer", "name"),
    ),
    Desk(CertifiedTac, sees=_READ, shown=("certificate", "model", "tac"), find=("=tac",)),
    Desk(Standard, sees=_READ, shown=("certificate", "designation"), find=("designation",)),
    Desk(
        CertificateEvent,
        sees=_READ,
        shown=("certificate", "at", "before", "after", "reason", "asked_by", "decided_by"),
    ),
    Desk(
        LabReport,
        sees=_READ,
        shown=("number", "lab", "manufacturer", "model", "tested_on", "certificate"),
        find=("=number", "manufacturer", "model"),
    ),
    Desk(Measurement, sees=_READ, shown=("report", "quantity", "band", "value", "at_least", "at_most")),
    Desk(
        Surveillance,
        sees=_MARKET,
        shown=("number", "place", "on", "state"),
        filters=("state",),
        find=("=number",),
        begin=(),
        deeds=(
            Deed(
                "close",
                "Close the audit",
                Permission.SURVEILLANCE_MANAGE,
                done(
                    lambda row, typed, actor, at: surveillance.close(
                        row.pk, typed["conclusion"], actor=actor, at=at
                    )
                ),
                {"conclusion": lambda: words("Conclusion", 1000, lines=True)},
                in_state(SurveillanceState.BEGUN),
            ),
        ),
    ),
    Desk(Sample, sees=_MARKET, shown=("surveillance", "manufacturer", "model", "taken_at"), imei="imei"),
    Desk(Finding, sees=_MARKET, shown=("sample", "aspect", "faulty", "found_at"), filters=("faulty",)),
    Desk(
        FollowUp,
        sees=_MARKET,
        shown=("surveillance", "action", "due_on", "done_at"),
        deeds=(
            Deed(
                "done",
                "It is done",
                Permission.SURVEILLANCE_MANAGE,
                done(
                    lambda row, typed, actor, at: surveillance.done(
                        row.pk, typed["outcome"], actor=actor, at=at
                    )
                ),
                {"outcome": lambda: words("Outcome", 500)},
                lambda row: row.done_at is None,
            ),
        ),
    ),
    Desk(
        CounterfeitReport,
        sees=(Permission.COUNTERFEIT_READ,),
        shown=("id", "suspicion", "brand", "model", "state", "reported_at"),
        filters=("state",),
        imei="imei",
        deeds=(
            Deed(
                "examine",
                "Begin to examine",
                Permission.SURVEILLANCE_MANAGE,
                plain(counterfeits.examine),
                when=in_state(CounterfeitState.REPORTED),
            ),
            *(
                Deed(
                    name,
                    label,
                    Permission.APPROVAL_DECIDE,
                    with_reason(partial(counterfeits.conclude, confirmed=confirmed)),
                    {"reason": reason},
                    in_state(CounterfeitState.EXAMINED),
                )
                for name, label, confirmed in (
                    ("confirm", "It is a counterfeit", True),
                    ("dismiss", "It is unfounded", False),
                )
            ),
        ),
    ),
    Desk(CounterfeitPhoto, sees=(Permission.COUNTERFEIT_READ,), shown=("report", "shows", "document")),
)
