"""A world with one shared identity and two people who use it, and what they do about it."""

from collections.abc import Collection
from datetime import datetime, timedelta

from people import NOW, actor
from world import PLMN, STANDINGS, imei, number, proof_of, somebody

from ceir.identifiers import EquipmentIdentity, Imsi, Msisdn
from ceir.registry.actors import Role
from ceir.registry.appeals.appealing import (
    AppealPolicy,
    add_evidence,
    make,
)
from ceir.registry.appeals.deciding import recommend
from ceir.registry.appeals.models import Appeal, Evidence, EvidenceKind
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import Proof
from ceir.registry.pairings.exporting import pairings
from ceir.registry.proposals.deciding import decide
from ceir.registry.registrations.owning import Seen
from ceir.registry.subscribers.reporting import Holder, report_line

APPEALS = AppealPolicy(
    theft=frozenset({"stolen", "abroad"}),
    abroad=frozenset({"abroad"}),
    days=15,
    evidence_days=10,
    most_asks=1,
)
DUE = NOW + timedelta(days=15)
DECIDED: dict[tuple[EquipmentIdentity, str], int] = {}
SEEN: dict[Msisdn, list[Seen]] = {}
DIGEST = "ab" * 32


def begin_anew() -> None:
    """Nothing is decided but one shared identity, which two people were seen with."""
    STANDINGS.clear()
    DECIDED.clear()
    SEEN.clear()
    for n in (1, 2):
        DECIDED[imei(1), "shared_identity"] = 7
        SEEN[number(n)] = [Seen(imei(1), NOW)]
        report_line(
            number(n), Imsi(f"11101{n:010}"), plmns=(PLMN,), actor=actor(Role.OPERATOR), at=NOW,
            holder=Holder.read(f"AB12345{n}"),
        )  # fmt: skip


def decision_of(identity: EquipmentIdentity, condition: str) -> int | None:
    return DECIDED.get((identity, condition))


def seen_with(of: Msisdn) -> Collection[Seen]:
    return SEEN.get(of, [])


def appealed(
    n: int = 1,
    condition: str = "shared_identity",
    identity: EquipmentIdentity | None = None,
    why: str = "I bought it new; here is the receipt.",
    proof: Proof | None = None,
    at: datetime = NOW,
) -> Appeal:
    return make(
        identity or imei(1),
        condition,
        why,
        proof=proof or proof_of(Purpose.APPEAL, n, at=at),
        decision_of=decision_of,
        seen_with=seen_with,
        policy=APPEALS,
        actor=somebody(n),
        at=at,
    )


def appealed_by(n: int) -> Appeal:
    """The appeal of somebody about a cloned identity that is open already."""
    return Appeal.objects.get(number_key=number(n).digits, condition="shared_identity")


def evidence(appeal: Appeal, n: int = 1, at: datetime = NOW, digest: str = DIGEST, **more: str) -> Evidence:
    return add_evidence(
        appeal.pk,
        EvidenceKind.INVOICE,
        more.get("reference", "documents/12"),
        digest,
        remark=more.get("remark", ""),
        proof=proof_of(Purpose.APPEAL, n, at=at),
        actor=somebody(n),
        at=at,
    )


def decided(appeal: Appeal, *, uphold: bool, only_him: bool = False, at: datetime = NOW) -> Appeal:
    proposal = recommend(
        appeal.pk, uphold=uphold, only_him=only_him, reason="seen it", actor=actor(Role.OFFICER), at=at
    )
    decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="agreed", at=at)
    return Appeal.objects.get(pk=appeal.pk)


def paired(at: datetime = NOW) -> list[str]:
    return [msisdn for _, _, msisdn in pairings(at)]
