"""A small country with two copied identities, from the pipeline itself: four runs as they were published.

Of the first identity one user declared the device as his own, the others are clones. Of the second nobody is
known to be genuine until the third run; from then on its two others are clones, whose lines have a grace of
their own. In the last run that grace is over, and the first identity was not seen for so long that nothing
speaks against it any more.
"""

import csv
import hashlib
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.db import transaction
from people import NOW, account, actor
from registry_publications import read_manifest, write_manifest

from building import Register, compact
from ceir.identifiers import Msisdn
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.editions.jobs import JOBS
from ceir.registry.pairings.models import Pairing
from ceir.registry.pairings.standing import going_on, in_clear
from ceir.registry.releases.models import Release
from ceir.registry.releases.outgoing import released
from ceir.registry.releases.planning import Stage, Terms, plan
from ceir.registry.releases.releasing import begin, carry_on
from ceir.registry.runs.applying import apply
from ceir.registry.runs.models import Run
from ceir.registry.subscribers.finding import line_proven
from ceir.registry.subscribers.models import Line, Sim

POLICY = """
mode = "permissive"
name = "copied"
[country]
name = "Examplia"
country_codes = ["22"]
[[operators]]
id = "operator1"
name = "One"
plmns = ["111-01"]
[[operators]]
id = "operator2"
name = "Two"
plmns = ["111-02"]
[[operators]]
id = "operator3"
name = "Three"
plmns = ["111-03"]
holds_exceptions = false
[conditions.cloned]
title = "Copied identity"
all = [{ rule = "cloned", weights = "clones-1" }]
reason = "Copied identity"
grace_days = 30
blocking = true
exceptions = "genuine"
max_match_ratio = 1.0
"""
DECIDED, OPEN = "35100001000001", "35100001000002"
OWNER, CLONE_1, CLONE_2, CLONE_3 = "111010000000001", "111010000000002", "111020000000003", "111030000000004"
USER_1, USER_2, USER_3 = "111010000000011", "111020000000012", "111030000000013"
CLONES, USERS = (CLONE_1, CLONE_2, CLONE_3), (USER_1, USER_2, USER_3)
NOTICE = date(2026, 3, 31)
BLOCK = NOTICE + timedelta(days=30)
FOUND = BLOCK + timedelta(days=5)
STOP = FOUND + timedelta(days=30)
OPERATORS = ("operator1", "operator2", "operator3")
ALL_AT_ONCE = Terms(stages=(Stage(Decimal(1), 0),), budgets={"appeals": Decimal(5)}, alone_share=Decimal(1))


def number(imsi: str) -> str:
    """The number of a subscriber."""
    return f"22000000{imsi[-4:]}"


def used(register: Register, imei: str, imsis: Iterable[str], first: date, last: date) -> None:
    """Every subscriber every day, seen by the first operator."""
    rows = [
        f"{compact(first + timedelta(days=n))},{imei},{imsi},{number(imsi)},006"
        for n in range((last - first).days + 1)
        for imsi in imsis
    ]
    register.take("observations", rows, last, operator="operator1")


def make_world(root: Path) -> Register:
    """Four published runs; of the last also what changed since the first."""
    register = Register.make(root, POLICY)
    persons = [f"P-{n},{imsi}" for n, imsi in enumerate((OWNER, *CLONES, *USERS))]
    register.take("subscribers", persons, NOTICE)
    register.take("associations", [f"P-0,{DECIDED}"], NOTICE)
    used(register, DECIDED, [OWNER], date(2026, 2, 20), date(2026, 2, 24))
    used(register, DECIDED, (OWNER, *CLONES), date(2026, 3, 1), NOTICE)
    used(register, OPEN, USERS, date(2026, 3, 1), NOTICE)
    register.run(NOTICE)
    used(register, OPEN, USERS, NOTICE + timedelta(days=1), BLOCK)
    register.run(BLOCK)
    register.take("associations", [f"P-0,{DECIDED}", f"P-4,{OPEN}"], FOUND)
    register.run(FOUND)
    used(register, OPEN, USERS, BLOCK + timedelta(days=1), STOP)
    register.run(STOP)
    register.publish(base=1)
    return register


def lists_of(register: Register, run: int, publication: int = 0) -> Path:
    """The folder of a run's lists."""
    found = register.workspace.catalogue().run(run)
    assert found is not None
    return register.workspace.path(found.publications[publication].path)


def take(world: Register, *runs: int, at: datetime = NOW) -> Run:
    """Runs taken over, one after the other."""
    for run in runs:
        taken = apply(lists_of(world, run), actor=SYSTEM, at=at).run
    return taken


def listed(world: Register, run: int) -> set[tuple[str, str, str]]:
    """Operator, identity and subscriber on the run's own exception lists."""
    found = set()
    for operator in OPERATORS:
        with (lists_of(world, run) / operator / "exceptions.csv").open(encoding="utf-8") as file:
            found |= {(operator, row["imei"], row["imsi"]) for row in csv.DictReader(file)}
    return found


def handed(at: datetime = NOW) -> set[tuple[str, str, str]]:
    """The same as the register would hand them on."""
    return {(operator, *line) for operator in OPERATORS for line in in_clear(going_on(operator, at)).values()}


def let_out(run: int, at: datetime = NOW, terms: Terms = ALL_AT_ONCE) -> Release:
    """A release of all that waits, started and carried on once."""
    release = plan(run, terms, salt=b"drawn for a test", reason="copied", actor=actor(Role.OFFICER), at=at)
    begin(release, actor(Role.OFFICER), at)
    carry_on(release.pk, actor=SYSTEM, at=at)
    return release


def blocked(operator: str, at: datetime = NOW) -> set[str]:
    """What is blocked in an operator's network."""
    return {one.identity for one in released(at, operator)}


def told_line(imsi: str, *, operator: str = "operator1") -> Line:
    """The line of a subscriber, whose SIM the operator told."""
    at = NOW - timedelta(days=1)
    with transaction.atomic():
        line = line_proven(Msisdn(number(imsi)), at=at)
    if not Sim.objects.filter(line=line, ended_at=None).exists():
        owner = account(Role.OPERATOR, operator, of=operator).organisation
        Sim.objects.create(line=line, operator=owner, imsi=imsi, imsi_key=imsi, since=at)
    return line


def paired(imei: str, imsi: str, *, operator: str = "operator1", state: str = "in_force") -> Pairing:
    """The register's own pairing of a device with a subscriber whose SIM the operator told."""
    at = NOW - timedelta(days=1)
    line = told_line(imsi, operator=operator)
    return Pairing.objects.create(
        imei=int(imei), line=line, place=1, ground="code", because=f"pair_code:{imsi[-2:]}", state=state,
        made_by="system", made_at=at, in_force_at=at,
    )  # fmt: skip


def with_exceptions(folder: Path, operator: str, *rows: tuple[str, str, str]) -> Path:
    """The publication with these rows on an operator's exceptions."""
    place = folder / operator / "exceptions.csv"
    place.write_text("".join(",".join(row) + "\n" for row in (("imei", "imsi", "msisdn"), *rows)))
    manifest = read_manifest(folder)
    for one in manifest["files"]:  # type: ignore[attr-defined]
        if one["file"] == f"{operator}/exceptions.csv":
            one |= {"rows": len(rows), "sha256": hashlib.sha256(place.read_bytes()).hexdigest()}
    write_manifest(folder, manifest)
    return folder


def enter_operators() -> None:
    """Their organisations."""
    for code in OPERATORS:
        account(Role.OPERATOR, code, of=code)


def issued(at: datetime = NOW) -> None:
    """The job that issues editions ran."""
    next(job for job in JOBS if job.name == "editions-issue").run(at)
