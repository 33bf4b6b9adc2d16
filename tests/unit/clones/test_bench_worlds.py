"""Both generators: the same seed gives the same files; the hidden truth is what a careful reader finds."""

from collections import Counter
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest
from clones.truths import CLASSES, Identity, read_truth
from clones.wanderer_files import write
from clones.wanderers import WandererSpec
from clones.worlds import LAST_DAY, Made, World, sha256_of

DB = duckdb.connect()
# Its own: an unfinished result on the shared one fails whoever asks next.
MAKES = ("country", "wanderers")
LINES = 1_500


@pytest.fixture(scope="module", params=MAKES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return World(request.param, 5, LINES).make_files(tmp_path_factory.mktemp("world") / "files")


@pytest.fixture(scope="module")
def truth(made: Made) -> dict[str, Identity]:
    return read_truth(made.truth, made.world.name, LAST_DAY)


def digests(folder: Path) -> dict[str, str]:
    return {p.name: sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*.csv"))}


def table(made: Made, source: str) -> str:
    paths = ", ".join(f"'{path}'" for path in made.files[source])
    return f"read_csv([{paths}], all_varchar=true, header=true, nullstr='')"


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for make in MAKES:
        for name, seed in (("one", 5), ("two", 5), ("other", 6)):
            World(make, seed, 600).make_files(tmp_path / make / name)
        one, two, other = (digests(tmp_path / make / name) for name in ("one", "two", "other"))
        assert one == two
        assert one != other


def test_each_clone_class_is_there(made: Made, truth: dict[str, Identity]) -> None:
    assert {i.klass for i in truth.values()} - {""} == set(CLASSES), made.world.make


def test_a_world_without_clones_has_confounders_and_no_copies(tmp_path: Path) -> None:
    for make in MAKES:
        world = World(make, 5, LINES, clones=False)
        found = read_truth(world.make_files(tmp_path / make).truth, world.name, LAST_DAY)
        assert not any(i.klass for i in found.values())
        stories = Counter(i.story for i in found.values() if i.shared)
        assert {
            "resale",
            "family_phone",
            "dual_sim_one_imei",
            "sim_hopper",
            "repair_bench",
            "oem_error",
        } <= set(stories)


def test_every_identity_that_is_copied_was_used_by_two_devices_or_by_a_copy_alone(made: Made) -> None:
    asked = (
        f"SELECT imei, count(DISTINCT device_id), bool_or(is_genuine_holder) FROM '{made.truth}' "
        "WHERE imei IN (SELECT imei FROM "
        f"'{made.truth}' WHERE starts_with(label, 'clone_')) GROUP BY imei"
    )
    for imei, devices, genuine in DB.execute(asked).fetchall():
        assert devices > 1 or not genuine, imei


def test_what_was_observed_is_what_the_truth_says(made: Made) -> None:
    seen = DB.execute(
        f"SELECT count(*), count(t.imei) FROM (SELECT DISTINCT imei[1:14] AS imei, imsi, date FROM "
        f"{table(made, 'observations')} WHERE length(imsi) = 15 AND imei[1:14] SIMILAR TO '[0-9]{{14}}') "
        "AS o "
        f"LEFT JOIN (SELECT DISTINCT imei, imsi, first_seen, last_seen FROM '{made.truth}') AS t "
        "ON t.imei = o.imei AND t.imsi = o.imsi "
        "AND strptime(o.date, '%Y%m%d') BETWEEN t.first_seen AND t.last_seen"
    ).fetchone()
    assert seen is not None
    assert seen[0] == seen[1] > 0


def test_sightings_name_known_cells_and_days_on_which_the_use_was_active(made: Made) -> None:
    unknown = DB.execute(
        f"SELECT count(*) FROM {table(made, 'sightings')} "
        f"WHERE cell NOT IN (SELECT cell FROM {table(made, 'cells')})"
    ).fetchone()
    assert unknown == (0,)
    strange = DB.execute(
        f"SELECT count(*) FROM {table(made, 'sightings')} AS s "
        f"WHERE NOT EXISTS (SELECT 1 FROM '{made.truth}' AS t "
        "WHERE t.imei = s.imei[1:14] AND t.imsi = s.imsi) AND s.imei SIMILAR TO '[0-9]{14,16}'"
    ).fetchone()
    assert strange == (0,)
    backwards = DB.execute(
        f"SELECT count(*) FROM {table(made, 'sightings')} WHERE ended_at < started_at"
    ).fetchone()
    assert backwards == (0,)


def test_one_phone_is_never_at_two_distant_places_at_once(tmp_path: Path) -> None:
    """With exact clocks and positions, moments of one physical phone less than ten minutes apart are near."""
    files = write(replace(WandererSpec(persons=1_200, seed=9), stray=0.0, skew_s=0), tmp_path / "world")
    paths = ", ".join(f"'{path}'" for path in files["sightings"])
    far = DB.execute(
        "WITH s AS (SELECT t.device_id, s.cell[3:4] AS place, CAST(s.started_at AS TIMESTAMP) AS moment FROM "
        f"read_csv([{paths}], all_varchar=true, header=true) AS s JOIN '{tmp_path}/world/truth.parquet' AS t "
        "ON t.imei = s.imei AND t.imsi = s.imsi WHERE t.label = 'genuine' AND t.story IN "
        "('family_phone', 'dual_sim_one_imei', 'courier', 'flyer', 'two_homes')), "
        "n AS (SELECT *, lag(place) OVER w AS before, lag(moment) OVER w AS earlier FROM s "
        "WINDOW w AS (PARTITION BY device_id ORDER BY moment)) "
        "SELECT count(*) FILTER (WHERE place <> before), count(*) FROM n "
        "WHERE moment - earlier < INTERVAL 5 MINUTE"
    ).fetchone()
    assert far is not None
    assert far[0] == 0
    assert far[1] > 100


def test_the_fingerprint_of_worlds_changes_with_any_knob() -> None:
    one, other = World("country", 5, LINES), World("country", 5, LINES + 1)
    assert sha256_of([one]) == sha256_of([World("country", 5, LINES)])
    assert sha256_of([one]) != sha256_of([other])
