"""What a country decides for its register: one file, read strictly, the same in every process."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import override_settings
from django.utils.timezone import localdate
from people import NOW
from world import POLICY, imei, model_of

from ceir.identifiers import Plmn, Tac
from ceir.policy import load_policy, shipped_policies
from ceir.registry.actors import SYSTEM
from ceir.registry.appeals.appealing import AppealPolicy
from ceir.registry.cases.blocking import ProvisionalBlock
from ceir.registry.cases.states import Reporter
from ceir.registry.codes.allowing import Limits
from ceir.registry.country.example import example
from ceir.registry.country.given import Country, country, known_model, require_obeyable
from ceir.registry.country.policy_part import PolicyPart, theft_conditions
from ceir.registry.country.reading import (
    CountryFileError,
    Decided,
    parse_country,
    read_country,
    require_agreeing,
)
from ceir.registry.country.written import KINDS, CountryFile, ProvisionalBlocks
from ceir.registry.jobs import job_named
from ceir.registry.pairings.pairing import PairingPolicy
from ceir.registry.project.configuring import RegistryOptions, django_settings
from ceir.registry.references.taking import take_observed, take_tacs
from ceir.registry.registrations.models import Kind
from ceir.registry.registrations.policies import Quota, RegistrationPolicy
from ceir.registry.registrations.registering import RegistrationRefusedError, require_kind

EXAMPLIA = PolicyPart.of(load_policy(shipped_policies()["examplia"])[0])


def decided(text: str = "", policy: PolicyPart | None = EXAMPLIA) -> Decided:
    return Decided(parse_country(text, "country.toml"), policy)


def test_the_example_says_what_counts_without_it() -> None:
    assert parse_country(example(), "example") == CountryFile()
    assert parse_country(example(time_zone="Africa/Nairobi"), "example").time_zone == "Africa/Nairobi"


def test_the_example_tells_the_meaning_of_every_key_and_what_it_leaves_out_can_be_put_in() -> None:
    text = example()
    values = [n for n, line in enumerate(text.splitlines()) if " = " in line]
    lines = text.splitlines()
    for n in values[: lines.index("[[releases.stages]]")]:
        if "[[releases.stages]]" not in lines[:n]:
            assert lines[n - 1].startswith("# "), lines[n]
    put_in = "\n".join(
        line.removeprefix("# ")
        if line.startswith(("# region", "# daily_cap", "# quotas", "# operators"))
        else line
        for line in lines
    )
    found = parse_country(put_in.replace('# operators = ["operator1"]', ""), "example")
    assert (found.region, found.releases.daily_cap) == ("KE", 10000)
    assert found.registrations.quotas["fleet"].devices is None


def test_what_is_usual_is_what_the_parts_of_the_register_do_by_themselves() -> None:
    made = Country.of(decided())
    assert made.registrations == RegistrationPolicy()
    assert made.pairings == PairingPolicy()
    assert made.limits == Limits()
    assert made.appeals == AppealPolicy(frozenset({"stolen", "stolen_abroad"}), frozenset({"stolen_abroad"}))
    assert made.provisional is None
    enabled = CountryFile(provisional_blocks=ProvisionalBlocks(enabled=True))
    assert Country.of(Decided(enabled)).provisional == ProvisionalBlock()
    assert set(KINDS) == {kind.value for kind in Kind}
    assert {"consumer", "operator", "police"} == {one.value for one in Reporter}


def test_what_is_written_reaches_every_part() -> None:
    made = Country.of(
        decided(
            """
            region = "KE"
            [registrations]
            kinds = ["person", "fleet"]
            traveller_days = 30
            quotas = { person = { devices = 2 }, traveller = {}, fleet = { devices = 9, days = 30 } }
            [registrations.identifiers]
            unknown_models = true
            [pairings]
            places = 3
            [provisional_blocks]
            enabled = true
            hours = 24
            reporters = ["police"]
            [codes]
            digits = 8
            given_within_minutes = 5
            [releases]
            daily_cap = 100
            alone_share = 0.05
            budgets = { appeals = 2.5 }
            [[releases.stages]]
            share = 0.001
            days = 2
            operators = ["operator1"]
            [[releases.stages]]
            share = 1
            [appeals]
            days = 7
            """
        )
    )
    assert made.registrations.kinds == {Kind.PERSON, Kind.FLEET}
    assert made.registrations.quotas == {
        Kind.PERSON: Quota(2),
        Kind.FLEET: Quota(9, 30),
        Kind.DIPLOMATIC: Quota(50),
    }
    assert made.registrations.traveller_days == 30
    assert made.registrations.strictness.unknown_models
    assert made.pairings.places == 3
    assert made.provisional == ProvisionalBlock(24, frozenset({Reporter.POLICE}))
    assert (made.limits.digits, made.limits.given_within) == (8, timedelta(minutes=5))
    terms = made.for_releases()
    assert (terms.daily_cap, terms.alone_share) == (100, Decimal("0.05"))
    assert terms.budgets == {"appeals": Decimal("2.5")}
    assert [(s.buckets, s.days, s.operators) for s in terms.stages] == [
        (1000, 2, ("operator1",)),
        (1_000_000, 1, ()),
    ]
    assert (made.for_appeals().days, made.region) == (7, "KE")
    assert made.plmns["operator2"] == {Plmn("111", "02")}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("regoin = 'KE'", ("unknown key `regoin`", "valid here: appeals, codes")),
        ("[codes]\ndigit = 6", ("unknown key `codes.digit`", "digits")),
        ("[codes]\ndigits = 3", ("`codes.digits`", "greater than or equal to 4", "Of a code")),
        ("[codes]\ndigits = '6'", ("`codes.digits`", "integer")),
        ("[provisional_blocks]\nenabled = 1", ("`provisional_blocks.enabled`", "boolean")),
        ("[provisional_blocks]\nhours = 721", ("`provisional_blocks.hours`", "720")),
        ("time_zone = 'Nairobi'", ("`time_zone`", "Africa/Nairobi")),
        ("time_zone = '../../etc/passwd'", ("`time_zone`", "no time zone")),
        ("time_zone = ''", ("`time_zone`",)),
        ("region = 'ZZ'", ("`region`", "two letters")),
        ("region = '254'", ("`region`",)),
        ("[releases]\nbudgets = {}", ("`releases.budgets`", "at least 1")),
        ("[releases]\nstages = []", ("`releases.stages`",)),
        ("[releases]\nstages = [{ share = 0 }]", ("`releases.stages.0.share`", "greater than 0")),
        ("[releases]\nstages = [{ share = 0.0000001 }]", ("`releases.stages.0.share`", "decimal places")),
        ("[releases]\nstages = [{ share = nan }]", ("`releases.stages.0.share`", "finite")),
        ("[releases]\nstages = [{ share = 0.5 }, { share = 0.1 }]", ("stage 2", "only widen")),
        (
            "[releases]\nstages = [{ share = 0.5 }, { share = 1, operators = ['operator1'] }]",
            ("stage 2", "lacks an operator"),
        ),
        ("[registrations]\nkinds = ['nobody']", ("`registrations.kinds.0`", "'person'")),
        ("[registrations.quotas]\nperson = { days = 3 }", ("days without devices", "type { devices = 5")),
        ("[registrations.quotas]\nnobody = {}", ("registrations.quotas.nobody",)),
        ("x = [", ("is not TOML", "Invalid value")),
        ("x = " + "[" * 5000, ("is not TOML",)),
    ],
)  # fmt: skip
def test_what_cannot_be_obeyed_is_told_with_file_key_and_what_to_type(
    text: str, told: tuple[str, ...]
) -> None:
    with pytest.raises(CountryFileError) as refused:
        parse_country(text, "/srv/x/country.toml")
    assert "/srv/x/country.toml" in refused.value.detail
    for part in told:
        assert part in refused.value.detail
    assert refused.value.hint


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(CountryFileError, match="cannot be read"):
        read_country(tmp_path / "country.toml")
    (tmp_path / "country.toml").write_bytes(b"region = '\xff\xfe'")
    with pytest.raises(CountryFileError, match="UTF-8"):
        read_country(tmp_path / "country.toml")


def test_it_is_held_against_the_policy() -> None:
    require_agreeing(decided())
    require_agreeing(decided('region = "KE"', policy=None))
    with pytest.raises(CountryFileError, match=r"releases.stages.1.operators.*nowhere") as refused:
        require_agreeing(decided("[[releases.stages]]\nshare = 1\noperators = ['nowhere']"))
    assert "operator1, operator2" in refused.value.hint
    with pytest.raises(CountryFileError, match="begin with 254; the policy says 22"):
        require_agreeing(decided('region = "KE"'))
    require_agreeing(decided('region = "KE"', replace(EXAMPLIA, country_codes=("254",))))


def test_a_budget_that_nobody_counts_is_refused_before_it_is_relied_on() -> None:
    require_obeyable(decided())
    with pytest.raises(CountryFileError, match=r"releases.budgets.complaints.*nobody counts") as refused:
        require_obeyable(decided("[releases]\nbudgets = { complaints = 1 }"))
    assert "appeals, sightings" in refused.value.hint


def test_every_process_is_told_the_same(tmp_path: Path) -> None:
    from ceir.office.configuration import Office, Orders, options_of, orders

    said = decided("time_zone = 'Africa/Nairobi'\n[releases]\nbudgets = { appeals = 2.5 }")
    options = RegistryOptions(str(tmp_path / "x"), "s" * 40, tmp_path / "keys", country=said)
    text = orders(Office(), options, None).model_dump_json()
    told = options_of(Orders.model_validate_json(text))
    assert told == options
    assert told.country is not None
    assert Country.of(told.country).for_releases() == Country.of(said).for_releases()
    assert django_settings(told)["TIME_ZONE"] == "Africa/Nairobi"
    assert json.loads(text)["registry"]["country"]["own"]["time_zone"] == "Africa/Nairobi"


def test_web_and_workers_look_at_the_same_place(monkeypatch: pytest.MonkeyPatch) -> None:
    said = decided("[pairings]\nkept_days = 17")
    asked: list[PairingPolicy] = []
    monkeypatch.setattr("ceir.registry.pairings.jobs.sweep", lambda policy, _at: asked.append(policy) or 0)
    with override_settings(CEIR_COUNTRY=said):
        assert country() is country()
        job_named("pairings-sweep").run(NOW)
        assert asked == [country().pairings]
    assert asked[0].kept_days == 17


def test_a_kind_that_the_country_does_not_have_is_refused() -> None:
    require_kind(Kind.PERSON, POLICY)
    with pytest.raises(RegistrationRefusedError, match="traveller"):
        require_kind(Kind.TRAVELLER, replace(POLICY, kinds=frozenset({Kind.PERSON})))


def test_the_day_is_that_of_the_country() -> None:
    late = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)
    with override_settings(TIME_ZONE="Africa/Nairobi"):
        assert localdate(late) == date(2026, 11, 23)
    assert localdate(late) == date(2026, 11, 22)


TACS = "TAC|Manufacturer|Model Name|Device Type|SIMSlot\n35675904|Oppo|N1|Smartphone|2\n"


def test_models_and_checks_of_imports_ask_the_lists_that_were_taken_over(tmp_path: Path) -> None:
    made = Country.of(decided())
    assert made.checks(NOW).allocated is None, "what nobody told is not held against anybody"
    assert made.checks(NOW).seen is None
    assert known_model(Tac("35675904")) is None
    list_ = tmp_path / "tac.txt"
    list_.write_text(TACS, encoding="utf-8")
    take_tacs(list_, actor=SYSTEM, at=NOW)
    days = (date(2026, 10, 1), date(2026, 11, 1))
    take_observed([(imei(1).number, *days), (imei(2).number, days[1], days[1])], actor=SYSTEM, at=NOW)
    model = made.model_of(Tac("35675904"))
    assert model is not None
    assert model.same_as(model_of(Tac("35675904")) or model)
    assert made.asks(NOW).model_of(Tac("35675904")) == model
    checks = made.checks(NOW)
    assert checks.allocated is not None
    assert checks.seen is not None
    assert set(checks.allocated(["35675904", "99999999"], NOW.date())) == {"35675904"}
    some = [imei(n).number for n in (1, 2, 3)]
    assert set(checks.seen(some, date(2026, 10, 31))) == {imei(1).number}


def test_conditions_of_theft_are_those_that_match_only_cases() -> None:
    assert theft_conditions(load_policy(shipped_policies()["examplia"])[0]) == {"stolen", "stolen_abroad"}
