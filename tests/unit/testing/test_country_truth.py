"""The country as a world: what the hidden truth says is what a careful reader finds in the files."""

from itertools import pairwise
from math import isclose

import pytest
from written_country import Written

from ceir.testing.country import Label, Story

ROAMERS = "('roamer_national', 'roamer_international')"


def test_every_usual_label_and_story_occurs_in_a_country_of_twenty_thousand(usual: Written) -> None:
    labels = dict(usual.rows("SELECT label, count(*) FROM truth GROUP BY 1"))
    stories = dict(usual.rows("SELECT story, count(*) FROM truth GROUP BY 1"))
    assert labels.keys() == {label.name.lower() for label in Label if label < Label.CLONE_DEAD_SOURCE}
    assert stories.keys() == {story.name.lower() for story in Story if story < Story.COURIER}
    assert labels == {label: count for label, count in usual.files.labels.items() if count}
    assert stories == {story: count for story, count in usual.files.stories.items() if count}


def test_in_a_clean_country_everybody_is_genuine_and_lists_of_offenders_are_empty(clean: Written) -> None:
    assert clean.rows("SELECT DISTINCT label, is_genuine_holder FROM truth") == [("genuine", True)]
    for source in ("stolen", "stolen_foreign", "barred", "barred_tacs", "monitored"):
        assert clean.value(f"SELECT count(*) FROM {source}_list") == 0
    for source in ("registrations", "associations", "subscribers", "type_approvals", "imports", "pairings"):
        assert clean.value(f"SELECT count(*) FROM {source}_list") > 0


def test_every_observation_is_explained_and_every_use_observed(usual: Written) -> None:
    unexplained = usual.value("""
        SELECT count(*) FROM observations o
        WHERE imei IS NOT NULL AND msisdn IS NOT NULL AND length(imsi) = 15
          AND NOT EXISTS (SELECT 1 FROM truth t WHERE t.imei = o.imei AND t.imsi = o.imsi
              AND t.msisdn = o.msisdn AND t.operator = o.operator
              AND strptime(o.date, '%Y%m%d') BETWEEN t.first_seen AND t.last_seen)
    """)
    assert unexplained == 0
    # Some rows lost a field, and some stand twice.
    assert isclose(
        usual.value("SELECT sum(active_days) FROM truth"), usual.files.counts["observations"], rel_tol=0.005
    )
    unseen = usual.value("""
        SELECT count(*) FROM truth WHERE active_days > 5
          AND (imei, imsi, operator) NOT IN
              (SELECT (imei, imsi, operator) FROM observations WHERE imei IS NOT NULL AND imsi IS NOT NULL)
    """)
    assert unseen == 0


def test_an_imei_has_one_genuine_device_or_none_save_for_the_manufacturers_error(usual: Written) -> None:
    several = usual.rows("""
        SELECT imei FROM truth WHERE is_genuine_holder GROUP BY imei
        HAVING count(DISTINCT device_id) > 1 AND NOT bool_and(label = 'oem_error')
    """)
    assert several == []


def test_clones_share_their_imei_with_a_twin_in_the_town_that_the_label_says(usual: Written) -> None:
    rows = usual.rows("""
        SELECT c.label, bool_or(c.town = g.town), bool_or(c.town <> g.town), count(g.imei)
        FROM truth c LEFT JOIN truth g ON c.imei = g.imei AND g.is_genuine_holder
        WHERE c.label IN ('clone_far', 'clone_near') GROUP BY 1 ORDER BY 1
    """)
    assert [row[:3] for row in rows] == [("clone_far", False, True), ("clone_near", True, False)]
    lonely = usual.value("""
        SELECT count(*) FROM truth c WHERE label IN ('clone_far', 'clone_near')
          AND NOT EXISTS (SELECT 1 FROM truth g WHERE g.imei = c.imei AND g.is_genuine_holder)
    """)
    assert lonely == 0


def test_duplication_is_as_the_press_reports_it(usual: Written) -> None:
    clones = "label IN ('clone_far', 'clone_near', 'clone_cluster')"
    share, lines, size, largest = usual.rows(f"""
        WITH copied AS (SELECT imei, count(DISTINCT device_id) AS devices FROM truth
                        WHERE imei IN (SELECT imei FROM truth WHERE {clones}) GROUP BY imei)
        SELECT count(*) / (SELECT count(DISTINCT imei) FROM truth), sum(devices) / {usual.spec.subscribers},
               avg(devices), max(devices) FROM copied
    """)[0]
    assert 0.003 < share < 0.006
    assert 0.01 < lines < 0.03
    assert 3.6 < size < 6.0
    assert largest > 40


def test_labels_are_what_the_lists_say(usual: Written) -> None:
    def imeis(label: str) -> set[str]:
        return {row[0] for row in usual.rows(f"SELECT DISTINCT imei FROM truth WHERE label = '{label}'")}

    def listed(source: str, column: str = "imei", condition: str = "true") -> set[str]:
        query = f"SELECT substr({column}, 1, 14) FROM {source}_list WHERE {condition}"
        return {row[0] for row in usual.rows(query)}

    in_force = "status IS NULL OR status = 'blacklist'"
    seen = {row[0] for row in usual.rows("SELECT DISTINCT imei FROM truth")}
    copied = imeis("clone_cluster") | imeis("clone_far") | imeis("clone_near")
    genuine = imeis("genuine")
    assert imeis("stolen") <= listed("stolen", condition=in_force)
    # Owners who used the device before the theft, and clusters around a stolen device.
    assert (listed("stolen", condition=in_force) & seen) - imeis("stolen") <= genuine | copied
    assert listed("stolen", condition="status = 'recovered'") & seen <= genuine
    assert listed("stolen_foreign") & seen == imeis("stolen_foreign")
    assert listed("barred") & seen == imeis("barred")
    assert {imei[:8] for imei in seen} & listed("barred_tacs", "tac") == {
        imei[:8] for imei in imeis("barred_tac")
    }
    registered = listed("registrations", "approved_imei", "status IS NULL OR status = 'whitelist'")
    for label in ("unregistered", "pre_release", "sim_box", "not_type_approved", "rat_mismatch"):
        assert not imeis(label) & registered, label
    assert imeis("unregistered") & listed("registrations", "approved_imei", "status = 'pending'")
    released = listed("imports", condition="released_on IS NULL OR released_on > '20261015'")
    assert released & imeis("pre_release")
    assert not released & (seen - imeis("pre_release"))
    assert imeis("pre_release") <= listed("imports")
    assert listed("monitored") & imeis("sim_box")


def test_stolen_devices_change_hands_after_the_theft(usual: Written) -> None:
    rows = usual.rows("""
        SELECT strptime(reporting_date, '%Y%m%d')::date, max(last_seen) FILTER (label = 'genuine'),
               min(first_seen) FILTER (label = 'stolen')
        FROM truth JOIN stolen_list l ON truth.imei = substr(l.imei, 1, 14)
        GROUP BY truth.imei, reporting_date HAVING bool_or(label = 'stolen')
    """)
    assert len(rows) == 60
    assert all(reported <= bought for reported, _, bought in rows)
    assert all(last is None or last < reported for reported, last, _ in rows)
    assert any(last is not None for _, last, _ in rows)


@pytest.mark.parametrize("world", ["usual", "clean"])
def test_genuine_devices_break_no_rule_about_their_identity(
    world: str, request: pytest.FixtureRequest
) -> None:
    made: Written = request.getfixturevalue(world)
    # Equipment that only genuine uses know.
    made.db.execute(f"""
        CREATE OR REPLACE TABLE honest AS SELECT imei, bool_or(story IN {ROAMERS}) AS roamer,
        bool_or(story = 'iot_fleet') AS iot FROM truth GROUP BY imei HAVING bool_and(label = 'genuine')
    """)
    malformed, test, unallocated, unapproved = made.rows("""
        SELECT count(*) FILTER (NOT regexp_matches(imei, '^[0-9]{14}$') OR length(imei) <> 14),
               count(*) FILTER (regexp_matches(imei, '^(00100[1-9]|00101[0-7]|0044|0086|0091)')),
               count(*) FILTER (substr(imei, 1, 8) NOT IN (SELECT tac FROM tac_list)),
               count(*) FILTER (substr(imei, 1, 8) NOT IN (SELECT tac FROM type_approvals_list
                   WHERE (status IS NULL OR status = 'valid')
                     AND (valid_until IS NULL OR valid_until > '20261031') AND valid_from <= '20261031'))
        FROM honest
    """)[0]
    assert (malformed, test, unallocated, unapproved) == (0, 0, 0, 0)
    unregistered = made.value("""
        SELECT count(*) FROM honest WHERE NOT roamer AND imei NOT IN
            (SELECT substr(approved_imei, 1, 14) FROM registrations_list
             WHERE status IS NULL OR status = 'whitelist')
    """)
    assert unregistered == 0
    impatient = made.value("""
        SELECT count(*) FROM truth JOIN imports_list i ON truth.imei = substr(i.imei, 1, 14)
        WHERE label = 'genuine' AND (released_on IS NULL OR strptime(released_on, '%Y%m%d') > first_seen)
    """)
    assert impatient == 0


CAPABILITY = """
    CREATE OR REPLACE TABLE capability AS
    WITH of_tac AS (
        SELECT tac, manufacturer AS maker, "model name" AS model, bands,
               regexp_matches(bands, 'GSM|GPRS|EDGE') AS g2,
               regexp_matches(bands, 'HS[UD]?PA|WCDMA|UMTS') AS g3,
               regexp_matches(bands, 'LTE') AS g4, regexp_matches(bands, '5G') AS g5
        FROM tac_list WHERE manufacturer IS NOT NULL AND "model name" IS NOT NULL
    )
    SELECT tac, bool_or(g2) OVER m AS g2, bool_or(g3) OVER m AS g3,
           bool_or(g4) OVER m AS g4, bool_or(g5) OVER m AS g5
    FROM of_tac WINDOW m AS (PARTITION BY maker, model)
"""


@pytest.mark.parametrize("world", ["usual", "clean"])
def test_only_forged_identities_use_radio_that_the_model_cannot(
    world: str, request: pytest.FixtureRequest
) -> None:
    made: Written = request.getfixturevalue(world)
    made.db.execute(CAPABILITY)
    beyond = {
        row[0]
        for row in made.rows("""
            SELECT DISTINCT imei FROM observations JOIN capability ON tac = substr(imei, 1, 8)
            WHERE (rat LIKE '%002%' AND NOT g2) OR (regexp_matches(rat, '001|005') AND NOT g3)
               OR (regexp_matches(rat, '006|008|009') AND NOT g4) OR (rat LIKE '%010%' AND NOT g5)
        """)
    }
    forged = {
        row[0]
        for row in made.rows("SELECT imei FROM truth GROUP BY imei HAVING bool_or(NOT is_genuine_holder)")
    }
    mismatched = {
        row[0] for row in made.rows("SELECT imei FROM truth WHERE label = 'rat_mismatch' AND active_days > 8")
    }
    assert beyond <= forged
    assert mismatched <= beyond
    assert bool(beyond) == (world == "usual")


def test_a_sim_box_shows_numbers_in_equal_steps_on_one_operator(usual: Written) -> None:
    boxes = usual.rows("""
        SELECT o.imei, list(DISTINCT msisdn::BIGINT ORDER BY msisdn::BIGINT), count(DISTINCT (msisdn, date)),
               count(DISTINCT operator)
        FROM observations o WHERE imei IN (SELECT imei FROM truth WHERE label = 'sim_box')
          AND date > '20261001' AND msisdn IS NOT NULL GROUP BY 1
    """)
    assert len(boxes) == 2
    for _, numbers, number_days, operators in boxes:
        steps = {after - before for before, after in pairwise(numbers)}
        assert len(steps) == 1
        assert number_days // 30 >= 3
        assert operators == 1


def test_fleets_have_one_tac_and_serial_numbers_in_a_row(usual: Written) -> None:
    fleets = usual.rows("""
        SELECT person, count(DISTINCT substr(imei, 1, 8)), max(imei::BIGINT) - min(imei::BIGINT),
               count(DISTINCT imei),
               count(DISTINCT operator) FROM truth WHERE story = 'iot_fleet' GROUP BY 1
    """)
    assert len(fleets) == 4
    for _, tacs, span, devices, operators in fleets:
        assert (tacs, operators) == (1, 1)
        assert span < 200
        assert devices > 190


def test_the_innocent_look_guilty_to_naive_counts(usual: Written) -> None:
    rows = dict(
        usual.rows("""
        SELECT story, max(imsis) FROM (
            SELECT imei, min(story) AS story, count(DISTINCT imsi) AS imsis FROM truth
            GROUP BY imei HAVING bool_and(label = 'genuine') AND count(DISTINCT story) = 1) GROUP BY 1
    """)
    )
    assert rows["village_phone"] >= 5
    assert rows["sim_hopper"] == 6
    assert rows["repair_bench"] >= 5
    assert rows["dual_sim_one_imei"] == rows["sim_swap"] == rows["family_phone"] == rows["resale"] == 2
    assert rows["ordinary"] == rows["dual_sim"] == rows["upgrade"] == 1


def test_two_slots_of_a_device_have_following_imeis_and_one_owner(usual: Written) -> None:
    pairs = usual.rows("""
        SELECT device_id, max(imei::BIGINT) - min(imei::BIGINT), count(DISTINCT imsi), count(DISTINCT person)
        FROM truth WHERE story = 'dual_sim' GROUP BY 1 HAVING count(DISTINCT imei) > 1
    """)
    assert len(pairs) > 500
    assert {row[1:] for row in pairs} == {(1, 2, 1)}


def test_people_of_the_lists_are_the_people_of_the_truth(usual: Written) -> None:
    known, wrong = usual.rows("""
        SELECT avg((s.uid IS NOT NULL)::int), count(*) FILTER (s.uid <> t.person)
        FROM truth t LEFT JOIN subscribers_list s USING (imsi) WHERE person IS NOT NULL
    """)[0]
    assert 0.99 < known < 1
    assert wrong == 0
    strangers = usual.value("""
        SELECT count(*) FROM associations_list WHERE uid NOT IN (SELECT uid FROM subscribers_list)
          AND uid NOT IN (SELECT person FROM truth WHERE person IS NOT NULL)
    """)
    assert strangers < 60  # owners of whom nothing was seen


def test_visitors_come_from_where_their_story_says(usual: Written) -> None:
    rows = usual.rows("""
        SELECT story, min(substr(imsi, 1, 3)), max(substr(imsi, 1, 5)), bool_or(msisdn LIKE '22%'), count(*)
        FROM truth WHERE story LIKE 'roamer%' GROUP BY 1 ORDER BY 1
    """)
    assert [row[:4] for row in rows] == [
        ("roamer_international", "222", "55530", False),
        ("roamer_national", "111", "11199", True),
    ]


def test_sightings_of_far_twins_overlap_in_different_towns(usual: Written) -> None:
    parts = [f"SELECT * FROM read_csv('{path}', all_varchar=true)" for _, path in usual.files.sightings]
    usual.db.execute(f"CREATE OR REPLACE TABLE sightings AS {' UNION ALL '.join(parts)}")
    assert (
        usual.value(
            f"SELECT count(*) FROM sightings WHERE cell NOT IN (SELECT cell FROM '{usual.files.cells}')"
        )
        == 0
    )
    assert usual.value("SELECT count(*) FROM sightings WHERE started_at >= ended_at") == 0
    meetings = usual.value("""
        SELECT count(DISTINCT a.imei) FROM sightings a JOIN sightings b
            ON substr(a.imei, 1, 14) = substr(b.imei, 1, 14) AND a.imsi < b.imsi
           AND a.started_at < b.ended_at AND b.started_at < a.ended_at
           AND split_part(a.cell, '-', 2) <> split_part(b.cell, '-', 2)
        WHERE substr(a.imei, 1, 14) IN (SELECT imei FROM truth WHERE label = 'clone_far')
    """)
    assert meetings > 3


def test_a_phone_is_never_sighted_twice_within_a_journey(usual: Written) -> None:
    parts = [f"SELECT * FROM read_csv('{path}')" for _, path in usual.files.sightings]
    hurried = usual.value(f"""
        WITH events AS ({" UNION ALL ".join(parts)}),
        following AS (SELECT split_part(cell, '-', 2) AS town,
                      lag(split_part(cell, '-', 2)) OVER w AS before,
                      started_at - lag(ended_at) OVER w AS gap FROM events
                      WINDOW w AS (PARTITION BY imei, imsi ORDER BY started_at))
        SELECT count(*) FROM following WHERE town <> before AND gap < INTERVAL 4 HOURS
    """)
    assert hurried == 0
