"""Two phones' lives from end to end: through the register, the pipeline itself, and back.

One is stolen, blocked, seen, found and given back; the other is taken for a clone and is none.
"""

import io
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from lost import police, reviewer, said
from people import NOW, actor
from world import PLMN, imei, number, proof_of, somebody

from building import Register
from ceir.identifiers import Imei, Imsi, Msisdn
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.appeals.appealing import Appeal, AppealPolicy, make
from ceir.registry.appeals.deciding import recommend, run_clocks
from ceir.registry.appeals.labels import write_labels
from ceir.registry.appeals.measuring import reversal_rate
from ceir.registry.audit.chain import verify as verify_record
from ceir.registry.cases.blocking import ProvisionalBlock
from ceir.registry.cases.deadlines import pass_deadlines
from ceir.registry.cases.leaving import recover, restore
from ceir.registry.cases.models import Case, Trace
from ceir.registry.cases.reporting import report
from ceir.registry.cases.tracing import Sighting, take_sightings
from ceir.registry.cases.verifying import verify
from ceir.registry.codes.models import Purpose
from ceir.registry.country.policy_part import theft_conditions
from ceir.registry.exports import write_exports
from ceir.registry.lists_and_cases import decision_in_force, seen_with_contacts, standing_at
from ceir.registry.personal.fields import keys
from ceir.registry.proposals.deciding import decide
from ceir.registry.runs.applying import apply
from ceir.registry.runs.looking import decision_of, history_of
from ceir.registry.runs.models import Contact
from ceir.registry.subscribers.reporting import Holder, report_line

POLICY = """
name = "lives"
version = 1
mode = "permissive"

[country]
name = "Lives"
country_codes = ["22"]

[[operators]]
id = "operator1"
name = "One"
plmns = ["111-01"]

[conditions.stolen]
title = "Stolen or lost"
all = [{ rule = "stolen_local" }]
reason = "Reported stolen or lost"
blocking = true
grace_days = 1
max_match_ratio = 1.0

[conditions.clone]
title = "Shared identity"
all = [{ rule = "too_many_imsis", threshold = 3, window_days = 60 }]
reason = "Several devices use this identity"
blocking = true
grace_days = 20
max_match_ratio = 1.0

[conditions.malformed]
title = "Malformed"
all = [{ rule = "imei_malformed" }]
reason = "Not an IMEI"
blocking = true
grace_days = 20
max_match_ratio = 1.0
"""

STOLEN, MINE, CLONE = imei(1), imei(2), imei(3)
DAY = timedelta(days=1)
TODAY = NOW.date()


@dataclass
class Country:
    """The register, and the pipeline beside it; every night the one gives its lists and the other a run."""

    pipeline: Register
    lists: Path

    def night(self, day: date) -> None:
        """What happens every night: lists go over, a run is made, its decisions come back."""
        at = datetime.combine(day, time(23), NOW.tzinfo)
        write_exports(self.lists, at)
        for source in ("stolen", "pairings", "appeals", "registrations", "subscribers"):
            self.pipeline.deliver(source, self.lists / f"{source}.csv", day)
        run = self.pipeline.run(day)
        folder = self.pipeline.workspace.path(run.publications[0].path)
        assert apply(folder, actor=SYSTEM, at=at).is_new
        assert not apply(folder, actor=SYSTEM, at=at).is_new

    @property
    def blocked(self) -> set[str]:
        """What networks refuse."""
        return {row[0] for row in self.pipeline.rows("blocked")}

    @property
    def excepted(self) -> set[tuple[str, str]]:
        """With whom they serve it all the same."""
        return {(row[0], row[1]) for row in self.pipeline.rows(("exceptions", "operator1"))}


@pytest.fixture
def country(tmp_path: Path) -> Country:
    made = Country(Register.make(tmp_path / "country", POLICY), tmp_path / "lists")
    seen = [
        (STOLEN.digits, 1),
        *((MINE.digits, n) for n in (2, 3, 4)),
        *((CLONE.digits, n) for n in (5, 6, 7)),
    ]
    rows = [f"{TODAY:%Y%m%d},{text},{imsi(n)},{number(n).digits},006" for text, n in (*seen, ("ABC", 8))]
    made.pipeline.take("observations", rows, TODAY, operator="operator1")
    return made


def imsi(n: int) -> str:
    return f"11101{n:010}"


def outcome(of: Imei | str) -> str:
    found = decision_of(of if isinstance(of, str) else of.digits)
    return found.outcome if found else ""


def told_of(of: Imei) -> list[Contact]:
    """Who is to be told now that a device will be blocked."""
    return list(Contact.objects.filter(imei=of.number, ended_run=None).order_by("pk"))


def test_a_stolen_phone_is_blocked_seen_found_and_works_again(country: Country) -> None:
    station = police()
    case = report(said(imeis=(STOLEN,)), actor=station, at=NOW, provisional=ProvisionalBlock(hours=72))
    assert case.provisional_until == NOW + timedelta(hours=72)
    country.night(TODAY)
    assert (outcome(STOLEN), country.blocked) == ("notified", set())
    # Whoever uses it is told a day before: he may have bought it in good faith.
    (told,) = told_of(STOLEN)
    assert (told.block_on, told.operator) == (TODAY + DAY, "operator1")
    assert seen_with_contacts(number(1)) != []
    # Two people confirm it before the provisional block ends.
    proposal = verify(case.pk, reason="the bill fits", actor=station, at=NOW + DAY)
    assert proposal is not None
    decide(proposal.pk, accept=True, actor=reviewer(), reason="seen", at=NOW + DAY)
    assert pass_deadlines(NOW + 10 * DAY) == 0
    country.night(TODAY + DAY)
    assert (outcome(STOLEN), country.blocked) == ("blocked", {STOLEN.digits})
    assert told_of(STOLEN) == []
    # The thief tries it, and the station of the case has a trace.
    later = NOW + 2 * DAY
    sighting = Sighting(STOLEN, later, "operator1", Imsi(imsi(9)), Msisdn("220000000666"), "cell-7")
    assert take_sightings([sighting], actor=SYSTEM, at=later) == 1
    assert Case.objects.get(pk=case.pk).state == "seen"
    assert Trace.objects.get().case_id == case.pk
    # It is found: one person gives it back, and it works from the next night on.
    recover(case.pk, reason="raid", actor=station, at=later)
    country.night(TODAY + 2 * DAY)
    assert (outcome(STOLEN), country.blocked) == ("", set())
    restore(case.pk, reason="given back", actor=station, at=later + DAY)
    country.night(TODAY + 3 * DAY)
    assert (outcome(STOLEN), country.blocked) == ("", set())
    assert (country.lists / "stolen.csv").read_text().splitlines() == ["imei,reporting_date,status"]
    assert [change.told for change in history_of(STOLEN.digits, actor=actor(Role.AUDITOR))] == [
        "became notified",
        "became blocked",
        "unblocked, resolved",
    ]
    verify_record()


def test_a_provisional_block_that_nobody_confirms_is_over_by_itself(country: Country) -> None:
    report(said(imeis=(STOLEN,)), actor=police(), at=NOW, provisional=ProvisionalBlock(hours=48))
    for days in (0, 1):
        country.night(TODAY + days * DAY)
    assert country.blocked == {STOLEN.digits}
    country.night(TODAY + 2 * DAY)
    assert (outcome(STOLEN), country.blocked) == ("", set())


@pytest.mark.parametrize("sim_is_known", [False, True])
def test_an_innocent_phone_that_is_taken_for_a_clone_is_never_cut(
    country: Country, sim_is_known: bool
) -> None:
    if sim_is_known:
        report_line(
            number(2), Imsi(imsi(2)), holder=Holder.read("AB123452"), plmns=(PLMN,),
            actor=actor(Role.OPERATOR), at=NOW,
        )  # fmt: skip
    country.night(TODAY)
    assert [outcome(of) for of in (MINE, CLONE, "ABC")] == ["notified"] * 3
    block_on = TODAY + 20 * DAY
    assert {told.block_on for told in told_of(MINE)} == {block_on}

    policy = AppealPolicy(theft=theft_conditions(country.pipeline.workspace.policy()[0]))
    appeal = appealed(MINE, "clone", 2, policy)
    # Nobody decides; the day of the block comes after the appeal's clock has run down.
    assert run_clocks(appeal.decide_by) == 1
    for day in (TODAY + 16 * DAY, block_on):
        country.night(day)
        # With an exception of his own its identity stays on the list: a clone of it would not work.
        stands = ("notified" if day < block_on else "blocked") if sim_is_known else "trial"
        assert outcome(MINE) == stands
        assert keys().keyed("msisdn", number(2).digits) not in {bytes(c.msisdn_key) for c in told_of(MINE)}
        assert sim_is_known or not told_of(MINE)
    assert country.blocked == {CLONE.digits, "ABC"} | ({MINE.digits} if sim_is_known else set())
    assert country.excepted == ({(MINE.digits, imsi(2))} if sim_is_known else set())
    # In the end two people say that the condition was wrong about it: it stays so, and is learnt from.
    at = NOW + 21 * DAY
    proposal = recommend(appeal.pk, uphold=True, reason="one device", actor=actor(Role.OFFICER), at=at)
    decide(proposal.pk, accept=True, actor=reviewer(), reason="agreed", at=at)
    country.night(block_on + 2 * DAY)
    assert (outcome(MINE), country.blocked) == ("trial", {CLONE.digits, "ABC"})
    assert standing_at(at)([MINE])[MINE].is_clear
    labels = io.StringIO()
    write_labels(labels, NOW, actor=actor(Role.AUDITOR), at=at)
    assert labels.getvalue().splitlines()[1:] == [f"{MINE.digits},clone,1,false_positive"]
    (rate,) = reversal_rate(NOW)
    assert (rate.condition, rate.decided, rate.upheld, rate.rate) == ("clone", 1, 1, 1)
    # Stolen some day, it is blocked: what was wrong was one condition, not all that may come.
    report(said(imeis=(MINE,)), actor=police(), at=at, provisional=ProvisionalBlock(hours=100))
    for days in (3, 4):
        country.night(block_on + days * DAY)
    assert MINE.digits in country.blocked
    assert (MINE.digits, imsi(2)) not in country.excepted
    verify_record()


def test_an_appeal_that_is_dismissed_leaves_the_block_date_as_it_was_told(country: Country) -> None:
    country.night(TODAY)
    policy = AppealPolicy(theft=frozenset({"stolen"}))
    appeal = appealed(MINE, "clone", 2, policy)
    at = NOW + 3 * DAY
    proposal = recommend(appeal.pk, uphold=False, reason="three at once", actor=actor(Role.OFFICER), at=at)
    decide(proposal.pk, accept=True, actor=reviewer(), reason="agreed", at=at)
    country.night(TODAY + 19 * DAY)
    assert (outcome(MINE), country.blocked) == ("notified", set())
    country.night(TODAY + 20 * DAY)
    assert MINE.digits in country.blocked


def appealed(of: Imei, condition: str, n: int, policy: AppealPolicy) -> Appeal:
    return make(
        of, condition, "It is one phone; I changed my SIM.", proof=proof_of(Purpose.APPEAL, n),
        decision_of=decision_in_force, seen_with=seen_with_contacts, policy=policy, actor=somebody(n), at=NOW,
    )  # fmt: skip
