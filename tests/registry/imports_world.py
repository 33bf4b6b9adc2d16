"""An importer with a licence, files of IMEIs, and what checks hold them against; for tests of imports."""

import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from people import NOW, account, actor, organisation

from ceir.identifiers import Imei
from ceir.registry.actors import SYSTEM, OrganisationKind, Role
from ceir.registry.imports import sealed_lists
from ceir.registry.imports.checking import Checks, check
from ceir.registry.imports.imei_files import Limits
from ceir.registry.imports.licences import grant
from ceir.registry.imports.models import Consignment, Licence
from ceir.registry.imports.proposing import propose_release
from ceir.registry.imports.reasons import Reason
from ceir.registry.imports.receiving import LIMITS, Declaration, submit
from ceir.registry.imports.releasing import release
from ceir.registry.organisations.models import Organisation
from ceir.registry.proposals.deciding import decide

TAC, OTHER_TAC = 35675904, 86004401


def imei(serial: int, tac: int = TAC) -> Imei:
    return Imei(f"{tac:08}{serial:06}")


def listed(imeis: Iterable[Imei]) -> bytes:
    return "".join(f"{one.printed}\n" for one in imeis).encode()


def some(count: int, start: int = 0, tac: int = TAC) -> list[Imei]:
    return [imei(serial, tac) for serial in range(start, start + count)]


def importer(code: str = "acme") -> Organisation:
    account(Role.IMPORTER, f"{code}-1", code)
    made = organisation(OrganisationKind.IMPORTER, code)
    if not Licence.objects.filter(importer=made).exists():
        grant(made, f"L-{code}", date(2026, 1, 1), None, 20_000_000, actor=actor(Role.OFFICER), at=NOW)
    return made


def importing(code: str = "acme") -> Any:
    importer(code)
    return actor(Role.IMPORTER, f"{code}-1", code)


def submitted(
    octets: bytes | io.RawIOBase,
    number: str = "C-1",
    code: str = "acme",
    declared: int | None = None,
    limits: Limits = LIMITS,
    at: Any = NOW,
) -> Consignment:
    source = io.BytesIO(octets) if isinstance(octets, bytes) else octets
    lines = octets.count(b"\n") if isinstance(octets, bytes) else 1
    said = Declaration(importer(code), number, declared or max(lines, 1), "Port Examplia")
    return submit(said, source, actor=importing(code), at=at, limits=limits)  # type: ignore[arg-type]


class Known:
    """What the register and the networks know; everything else is in order."""

    def __init__(
        self,
        seen: Iterable[Imei] = (),
        registered: Iterable[Imei] = (),
        stolen: Iterable[Imei] = (),
        not_allocated: Collection[int] = (),
        not_approved: Collection[int] = (),
    ) -> None:
        self.numbers = {
            name: {one.number for one in given}
            for name, given in (("seen", seen), ("registered", registered), ("stolen", stolen))
        }
        self.not_allocated, self.not_approved = not_allocated, not_approved
        self.most_asked = 0

    def checks(self) -> Checks:
        return Checks(
            allocated=lambda tacs, _: {tac for tac in tacs if int(tac) not in self.not_allocated},
            approved=lambda tacs, _: {tac for tac in tacs if int(tac) not in self.not_approved},
            seen=lambda imeis, _: self.among("seen", imeis),
            registered=lambda imeis: self.among("registered", imeis),
            stolen=lambda imeis: self.among("stolen", imeis),
        )

    def among(self, name: str, imeis: Sequence[int]) -> set[int]:
        self.most_asked = max(self.most_asked, len(imeis))
        return self.numbers[name].intersection(imeis)


def checked(consignment: Consignment, known: Known | None = None, at: Any = NOW) -> Consignment:
    return check(consignment.pk, (known or Known()).checks(), actor=SYSTEM, at=at)


class Made(io.RawIOBase):
    """A file that is made while it is read: as large as wanted, and never whole in memory."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines, self._rest = lines, b""
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "somebody wants it whole"
        parts, length = [self._rest], len(self._rest)
        for line in self._lines:
            parts.append(line)
            length += len(line)
            if length >= size:
                break
        octets = b"".join(parts)
        self._rest = octets[size:]
        self.given += min(len(octets), size)
        return octets[:size]


TODAY = NOW.date()
LATER = NOW + timedelta(days=2)


def released(consignment: Consignment, at: Any = NOW) -> Consignment:
    return release(consignment.pk, actor=actor(Role.CUSTOMS), at=at)


def released_by_two(consignment: Consignment, *leave_out: Reason, at: Any = NOW) -> Consignment:
    proposal = propose_release(
        consignment.pk, leave_out, actor=actor(Role.CUSTOMS), reason="papers seen", at=at
    )
    decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="right", at=at)
    consignment.refresh_from_db()
    return consignment


def on_list(consignment: Consignment) -> list[int]:
    return [
        number for page in sealed_lists.all_rows() for number, owner, _ in page if owner == consignment.pk
    ]
