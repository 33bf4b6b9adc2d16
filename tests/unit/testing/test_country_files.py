"""The files as files: same bytes each time, every row valid, every check of an importer passed."""

import re
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
from written_country import Country, Written

from ceir.testing.country import (
    CountryFolderNotEmptyError,
    CountrySpec,
    CountrySpecError,
    Label,
    OperatorSpec,
    Wrongs,
    find_example,
    write_country,
)

SMALL = CountrySpec(subscribers=2_000)

ROWS = {
    "observations": r"\d{8},[0-9A-Fa-f*#]{0,16},(\d{15}|\d{10})?,(\d{10,13})?,(\d{3}(\|\d{3})?)?",
    "sightings": r"[0-9A-Fa-f*#]{1,16},\d{15},\d{5}-\d{4}-\d{6}(,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ){2}",
    "tac": r"\d{8}\|[^|]*\|[^|]*\|[^|]+\|[^|]*\|\d\d-[A-Z][a-z]{2}-\d{4}(\|[^|]*){11}",
    "stolen": r"\d{14,15},\d{8},(blacklist|pending|recovered)?",
    "stolen-foreign": r"\d{14,15},\d{8},(blacklist)?,X[ABC]",
    "registrations": r"\d{14,15},[^,]+,[^,]+,(whitelist|pending)?,[^,]+,[^,]+,[^,]+,[^,]+,D\d{10}",
    "pairings": r"\d{14,15},\d{15},\d{12}",
    "golden": r"\d{14,15}|[0-9a-f]{32}",
    "barred": r"\d{14,15}",
    "barred-tacs": r"\d{8}",
    "monitored": r"\d{14,15}",
    "subscribers": r"[PCS]\d{9},\d{15}",
    "associations": r"[PCS]\d{9},\d{14,15}",
    "type-approvals": r"\d{8},TA\d{6},[^,]+,[^,]+,(valid|withdrawn)?,\d{8},(\d{8})?",
    "imports": r"\d{14,15},C\d{6},Importer \d\d,\d{8},(\d{8})?",
}


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def sorted_lines(folder: Path) -> dict[str, list[str]]:
    return {
        path.relative_to(folder).as_posix(): sorted(path.read_text().splitlines())
        for path in sorted(folder.rglob("*.csv"))
    }


def test_equal_specs_give_equal_bytes(tmp_path: Path) -> None:
    write_country(SMALL, tmp_path / "one")
    write_country(SMALL, tmp_path / "two")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert len(digests(tmp_path / "one")) == 4 * 3 + 13 + 4 + 2


def test_observations_are_the_same_bytes_on_every_machine(tmp_path: Path) -> None:
    files = write_country(SMALL, tmp_path / "one")
    assert (
        sha256(b"".join(path.read_bytes() for _, path in files.observations)).hexdigest()[:16]
        == "bff53b3d32f22918"
    )


def test_another_seed_gives_another_country(tmp_path: Path) -> None:
    write_country(SMALL, tmp_path / "one")
    write_country(replace(SMALL, seed=2), tmp_path / "two")
    one, two = digests(tmp_path / "one"), digests(tmp_path / "two")
    assert one.keys() == two.keys()
    assert not set(one.values()) & set(two.values())


def test_the_chunk_size_changes_the_order_of_rows_and_nothing_else(tmp_path: Path) -> None:
    whole = write_country(SMALL, tmp_path / "whole")
    parts = write_country(replace(SMALL, chunk_subscribers=192), tmp_path / "parts")
    assert sorted_lines(whole.folder) == sorted_lines(parts.folder)
    assert (whole.counts, whole.labels, whole.stories) == (parts.counts, parts.labels, parts.stories)
    assert digests(whole.folder) != digests(parts.folder)


def test_every_row_of_every_file_has_the_form_of_its_source(usual: Written) -> None:
    files = usual.files
    groups = {
        "observations": [path for _, path in files.observations],
        "sightings": [path for _, path in files.sightings],
        **{source: [path] for source, path in files.lists.items()},
    }
    assert groups.keys() == ROWS.keys()
    for source, paths in groups.items():
        form = re.compile(ROWS[source])
        found = 0
        for path in paths:
            rows = path.read_text(encoding="utf-8").splitlines()[1:]
            found += len(rows)
            assert [row for row in rows if not form.fullmatch(row)][:3] == []
        assert found == files.counts[source]
        assert found > 0


def test_files_are_named_after_operators_and_calendar_months(country: Country) -> None:
    files = country(subscribers=2_000, months=2, last_day=date(2024, 3, 10)).files
    assert [path.name for operator, path in files.observations if operator == "operator2"] == [
        "operator2_20240201_20240229.csv",
        "operator2_20240301_20240310.csv",
    ]
    assert files.sightings[0][1].name == "operator1_sightings_20240304_20240310.csv"


@pytest.mark.parametrize("knobs", [{}, {"seed": 5}, {"clean": True}, {"subscribers": 2_000}], ids=str)
def test_every_observation_file_passes_the_checks_of_an_importer(
    country: Country, knobs: dict[str, object]
) -> None:
    made = country(**{"subscribers": 20_000, **knobs})
    rows = made.rows("""
        WITH o AS (SELECT *, substr(file, -17, 8) AS first, substr(file, -8) AS last FROM observations)
        SELECT file,
               avg((date NOT BETWEEN first AND last)::int),
               avg((imei IS NULL)::int), avg((imsi IS NULL)::int), avg((msisdn IS NULL)::int),
               avg((rat IS NULL)::int),
               avg((imei IS NULL OR imsi IS NULL OR msisdn IS NULL OR rat IS NULL)::int),
               avg((NOT regexp_matches(imei, '^[0-9]{14}'))::int), avg((length(imsi) < 14)::int),
               avg((imsi NOT LIKE '111%' OR msisdn NOT LIKE '22%')::int),
               avg((imsi NOT LIKE '1110' || substr(operator, -1) || '%')::int),
               count(DISTINCT imei) FILTER (imei LIKE '0%'), count(DISTINCT imei) FILTER (imei LIKE '1%'),
               count(*) FILTER (imei LIKE '0%'), count(*) FILTER (imei LIKE '1%')
        FROM o GROUP BY ALL
    """)
    assert len(rows) == 12
    for (
        file,
        outside,
        no_imei,
        no_imsi,
        no_msisdn,
        no_rat,
        none,
        unclean,
        short,
        abroad,
        home,
        *zeros,
    ) in rows:
        assert outside == 0, file
        assert max(no_imei, no_imsi, no_msisdn, no_rat, none) <= 0.05, file
        assert (unclean or 0) + short <= 0.05, file
        assert abroad <= 0.1, file
        assert home <= 0.2, file
        assert zeros[0] > zeros[1], file
        assert zeros[2] > zeros[3], file


def test_no_month_of_an_operator_falls_behind_the_one_before(usual: Written) -> None:
    # Importers compare the daily mean of distinct values with the last 30 days.
    rows = usual.rows("""
        WITH daily AS (
            SELECT operator, file, date, count(DISTINCT imei) i, count(DISTINCT imsi) s,
                   count(DISTINCT msisdn) m
            FROM observations GROUP BY ALL
        ), monthly AS (SELECT operator, file, avg(i) i, avg(s) s, avg(m) m FROM daily GROUP BY ALL)
        SELECT i / lag(i) OVER w, s / lag(s) OVER w, m / lag(m) OVER w FROM monthly
        WINDOW w AS (PARTITION BY operator ORDER BY file) QUALIFY lag(i) OVER w IS NOT NULL
    """)
    assert len(rows) == 8
    assert min(min(row) for row in rows) >= 0.93


def test_no_list_has_two_rows_of_one_key(usual: Written, clean: Written) -> None:
    imei = "substr({0}, 1, 14)"
    keys = {
        "tac": "tac",
        "stolen": imei.format("imei"),
        "stolen_foreign": imei.format("imei"),
        "registrations": imei.format("approved_imei"),
        "pairings": imei.format("imei") + ", imsi, msisdn",
        "golden": "golden_imei",
        "barred": imei.format("imei"),
        "barred_tacs": "tac",
        "monitored": imei.format("imei"),
        "subscribers": "imsi",
        "associations": imei.format("imei"),
        "type_approvals": "tac",
        "imports": imei.format("imei"),
    }
    for made in (usual, clean):
        assert {source.replace("-", "_") for source in made.files.lists} == keys.keys()
        for source, key in keys.items():
            doubled = made.rows(
                f"SELECT {key}, count(*) FROM {source}_list GROUP BY {key} HAVING count(*) > 1"
            )
            assert doubled == [], source


def test_printed_imeis_of_lists_end_with_a_valid_check_digit(usual: Written) -> None:
    printed = [
        imei for (imei,) in usual.rows("SELECT approved_imei FROM registrations_list") if len(imei) == 15
    ]
    assert len(printed) > 10_000
    for imei in printed[:2000]:
        doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(imei)]
        assert sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def test_all_forms_of_an_imei_occur_at_every_operator(usual: Written) -> None:
    rows = usual.rows("""
        SELECT operator, count(DISTINCT length(written)),
               count(*) FILTER (written LIKE '%0' AND length(written) = 15)
        FROM observations WHERE regexp_matches(written, '^[0-9]{14,16}$') GROUP BY ALL
    """)
    assert len(rows) == 4
    assert all(lengths == 3 and spare_zeros > 0 for _, lengths, spare_zeros in rows)


def test_some_rows_stand_twice_and_some_have_two_radio_technologies(usual: Written) -> None:
    total, distinct, double = usual.rows("""
        SELECT count(*), count(DISTINCT (operator, date, written, imsi, msisdn, rat)),
               count(*) FILTER (rat LIKE '%|%') FROM observations
    """)[0]
    assert 0.001 < 1 - distinct / total < 0.004
    assert 0.05 < double / total < 0.4


def test_a_peer_that_knows_only_the_older_codes_gets_only_those(country: Country) -> None:
    made = country(subscribers=2_000, modern_rats=False)
    codes = {row[0] for row in made.rows("SELECT DISTINCT unnest(string_split(rat, '|')) FROM observations")}
    assert codes <= {f"{code:03d}" for code in (*range(1, 8), *range(101, 106))}


def test_explicit_list_sizes_are_met_exactly(country: Country) -> None:
    knobs = {"subscribers": 2_000, "tac_count": 9_000}
    for registrations, stolen in ((40_000, 3_000), (700, 5)):
        made = country(**knobs, registrations=registrations, stolen=stolen)
        for source, size in (("tac", 9_000), ("registrations", registrations), ("stolen", stolen)):
            name = source.replace("-", "_")
            assert made.value(f"SELECT count(*) FROM {name}_list") == size == made.files.counts[source]
        keys = made.value("SELECT count(DISTINCT substr(approved_imei, 1, 14)) FROM registrations_list")
        assert keys == registrations


def test_rows_of_a_subscriber_follow_the_knob(country: Country) -> None:
    for wanted in (3.0, 6.7, 16.7):
        made = country(subscribers=5_000, months=1, rows_per_subscriber_month=wanted)
        assert made.files.counts["observations"] / 5_000 == pytest.approx(wanted, rel=0.12)


def test_models_can_come_from_a_file(tmp_path: Path) -> None:
    source = tmp_path / "tacs.csv"
    rows = [f'{35_000_000 + i},Maker {i % 7},"Model, {i // 3}",' for i in range(600)]
    rows += ["00440012,Test,Device,", "12345678,Begins,With one,", "123,Too,Short,"]
    source.write_text("tac,brand,model,aka\n" + "\n".join(rows) + "\n")
    for count in (400, 900):
        files = write_country(replace(SMALL, tacs=source, tac_count=count), tmp_path / str(count))
        listed = [row.split("|") for row in files.lists["tac"].read_text().splitlines()[1:]]
        assert len(listed) == len({row[0] for row in listed}) == count
        assert sum(row[3].startswith("Maker") for row in listed) == min(count, 600)
        assert not {"00440012", "12345678"} & {row[0] for row in listed}
        assert all("," not in row[2] for row in listed)


def test_a_folder_that_holds_something_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "mine").write_text("precious")
    with pytest.raises(CountryFolderNotEmptyError):
        write_country(SMALL, folder)
    assert [path.name for path in folder.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    "knobs",
    [
        {"subscribers": 499},
        {"months": 0},
        {"operators": ()},
        {"operators": (OperatorSpec("a", "11101", 1), OperatorSpec("a", "11102", 1))},
        {"unconfigured_plmn": "11101"},
        {"unconfigured_plmn": "22299"},
        {"country_code": "2"},
        {"rows_per_subscriber_month": 25},
        {"tac_count": 10},
        {"chunk_subscribers": 100},
        {"registered_share": 1.5},
        {"wrongs": Wrongs(clone_far=-0.1)},
    ],
    ids=str,
)
def test_a_country_that_cannot_exist_is_refused(knobs: dict[str, object]) -> None:
    with pytest.raises(CountrySpecError):
        CountrySpec(**knobs)  # type: ignore[arg-type]


def test_more_wrongdoers_than_subscribers_are_refused(folder: Path) -> None:
    with pytest.raises(CountrySpecError, match="special role"):
        write_country(replace(SMALL, wrongs=Wrongs(clone_far=0.6)), folder)


@pytest.mark.parametrize("seed", range(3))
def test_the_smallest_countries_can_be_written(tmp_path: Path, seed: int) -> None:
    tiny = CountrySpec(subscribers=500, months=1, last_day=date(2025, 2, 1), tac_count=200, seed=seed)
    assert write_country(tiny, tmp_path / "tiny").counts["observations"] > 0
    alone = replace(
        SMALL, operators=(OperatorSpec("only", "22210", 1),), unconfigured_plmn="22299", country_code="39"
    )
    files = write_country(replace(alone, seed=seed, sightings_per_operator=0), tmp_path / "alone")
    assert files.sightings == ()
    assert not (tmp_path / "alone" / "sightings").exists()


def test_progress_is_told_up_to_the_end(folder: Path) -> None:
    told: list[tuple[str, int, int]] = []
    write_country(replace(SMALL, chunk_subscribers=1024), folder, lambda *step: told.append(step))
    assert told == [
        ("observations", 1024, 2000),
        ("observations", 2000, 2000),
        ("registrations", 100, 100),
    ]


def test_an_example_shows_a_clone_and_its_genuine_twin(usual: Written, clean: Written) -> None:
    example = find_example(usual.files.truth)
    assert example.label == "clone_far"
    assert {use["is_genuine_holder"] for use in example.uses} == {True, False}
    assert len({use["town"] for use in example.uses}) == 2
    assert find_example(usual.files.truth, Label.PLACEHOLDER).label == "placeholder"
    with pytest.raises(CountrySpecError, match="clone_far"):
        find_example(clean.files.truth)
