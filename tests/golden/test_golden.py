"""A country of ten thousand devices, each made for a reason: what it must come to, to the byte."""

import gzip
import tomllib
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow.dataset as ds
import pytest

from building import write_text
from ceir.pipeline.engines import Engine
from ceir.pipeline.engines.sail import SailServer
from ceir.pipeline.engines.spark import SparkEngine
from ceir.pipeline.workspace import Workspace
from ceir.policy import load_policy, shipped_policies
from ceir.weights.scale import SCORED
from oracle import Inputs, World, load, matches

from .country import DAYS, RUNS
from .making import Made, make, plan_bytes, read_reasons, reasons_bytes
from .replaying import INPUT, POLICIES, Output, expected, replay, text_of


@pytest.fixture(scope="module")
def made() -> Made:
    return make()


@pytest.fixture(scope="module")
def replays(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Workspace, list[Output]]]:
    """For each policy its register after the last run, and what each run gave; made once."""
    done: dict[str, tuple[Workspace, list[Output]]] = {}

    def replayed(policy: str) -> tuple[Workspace, list[Output]]:
        if policy not in done:
            root = tmp_path_factory.mktemp(policy) / "register"
            outputs = [output for _, output in replay(root, policy)]
            done[policy] = Workspace.open(root), outputs
        return done[policy]

    return replayed


def test_the_committed_input_is_what_the_program_makes(made: Made) -> None:
    files = {str(f.relative_to(INPUT)) for f in INPUT.rglob("*") if f.is_file()}
    assert files == {"plan.csv", "reasons.csv.gz", *(f"{name}.gz" for name in made.files)}
    assert (INPUT / "plan.csv").read_bytes() == plan_bytes(made.plan)
    assert gzip.decompress((INPUT / "reasons.csv.gz").read_bytes()) == reasons_bytes(made.reasons)
    for name, lines in made.files.items():
        assert gzip.decompress((INPUT / f"{name}.gz").read_bytes()).decode().splitlines() == lines, name


def test_there_are_ten_thousand_devices_and_each_has_its_own_reason(made: Made) -> None:
    assert len(made.reasons) == 10_000
    assert all(reason.why for reason in made.reasons)
    labels = {label for r in made.reasons for each in r.conditions for label in each.split()}
    assert labels == set(load_policy(POLICIES["examplia"])[0].conditions)


def test_the_policy_is_the_shipped_one_without_what_rests_on_a_score() -> None:
    shipped = load_policy(shipped_policies()["examplia"])[0]
    plain = {n: c for n, c in shipped.conditions.items() if not any(u.rule in SCORED for u in c.all)}
    assert len(plain) < len(shipped.conditions)
    assert shipped.model_copy(update={"conditions": plain}) == load_policy(POLICIES["examplia"])[0]


@pytest.mark.parametrize("run", RUNS)
def test_every_device_has_exactly_the_conditions_it_was_made_for(
    run: int, replays: Callable[[str], tuple[Workspace, list[Output]]]
) -> None:
    found: dict[str, list[str]] = {}
    for line in replays("examplia")[1][run - 1]["verdicts.csv"].decode().splitlines()[1:]:
        imei, label, *_ = line.split(",")
        found.setdefault(imei, []).append(label)
    reasons = {r.imei: r for r in read_reasons(INPUT)}
    assert set(found) <= set(reasons)
    wrong = {
        f"{imei} ({reason.why})": (reason.conditions[run - 1], " ".join(sorted(found.get(imei, []))))
        for imei, reason in reasons.items()
        if reason.conditions[run - 1] != " ".join(sorted(found.get(imei, [])))
    }
    assert wrong == {}


@pytest.mark.parametrize("run", RUNS)
def test_every_device_meets_the_outcome_it_was_made_for(
    run: int, replays: Callable[[str], tuple[Workspace, list[Output]]]
) -> None:
    workspace = replays("examplia")[0]
    chosen = workspace.catalogue().run(run)
    assert chosen is not None
    assert chosen.as_of == DAYS[run]
    decisions = ds.dataset(workspace.path(chosen.publications[0].path) / "decisions").to_table().to_pylist()
    found = {row["text"]: row["outcome"] for row in decisions}
    wrong = {
        f"{r.imei} ({r.why})": (r.outcomes[run - 1], found.get(r.imei, ""))
        for r in read_reasons(INPUT)
        if r.outcomes[run - 1] != found.get(r.imei, "")
    }
    assert wrong == {}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("policy", POLICIES)
def test_verdicts_lists_and_changes_are_the_committed_ones_to_the_byte(
    policy: str, run: int, replays: Callable[[str], tuple[Workspace, list[Output]]]
) -> None:
    assert_same(text_of(replays(policy)[1][run - 1]), expected(policy, run))


@pytest.mark.parametrize("policy", POLICIES)
def test_an_independent_recomputation_finds_the_same_matches(
    policy: str, replays: Callable[[str], tuple[Workspace, list[Output]]], worlds: dict[int, World]
) -> None:
    file = POLICIES[policy]
    file = file / "policy.toml" if file.is_dir() else file
    rules = tomllib.loads(file.read_text(), parse_float=Decimal)
    catalogue = replays(policy)[0].catalogue()
    for run in RUNS:
        found = matches(worlds[run], rules, DAYS[run], DAYS[1])
        chosen = catalogue.run(run)
        assert chosen is not None
        # the recomputation knows neither when a condition began nor that a list came entry by entry
        beyond = {
            label
            for label, c in rules["conditions"].items()
            if "first_seen_from" in c or any(use["rule"] == "monitored" for use in c["all"])
        }
        counted = {c.condition: c.matched for c in chosen.counts if c.condition not in beyond}
        assert len(counted) >= len(chosen.counts) - 2
        assert counted == {label: len(found[label]) for label in counted}


@pytest.fixture(scope="module")
def worlds(made: Made, tmp_path_factory: pytest.TempPathFactory) -> dict[int, World]:
    """What the oracle knows at each run."""
    folder = tmp_path_factory.mktemp("worlds")
    result = {}
    for run in RUNS:
        observations: list[tuple[str, str | Path]] = [
            (step.operator, write_text(folder / step.file, made.files[step.file]))
            for step in made.plan
            if step.source == "observations"
            and step.action == "take"
            and step.run <= run
            and not (run == 3 and step.delta)
        ]
        lists: dict[str, str | Path | None] = {
            source: write_text(folder / str(run) / f"{source}.csv", lines)
            for source, lines in made.states[run].items()
        }
        result[run] = load(Inputs(observations, lists.pop("tac"), lists))
    return result


VARIATIONS: dict[str, dict[str, object]] = {
    "rows and files in another order": {"shuffled": True},
    "two threads": {"threads": 2},
    "little memory, rows and files in another order, two threads": {
        "threads": 2,
        "memory_gb": 0.15,
        "shuffled": True,
    },
}


@pytest.mark.parametrize(
    "variation",
    # Everything at once stays among the tests of every commit; who finds a difference asks which it was.
    [
        pytest.param(values, id=name, marks=() if len(values) > 1 else pytest.mark.long)
        for name, values in VARIATIONS.items()
    ],
)
def test_lists_are_the_same_bytes_with(
    variation: dict[str, object],
    tmp_path: Path,
    replays: Callable[[str], tuple[Workspace, list[Output]]],
) -> None:
    for first, (_, output) in zip(
        replays("examplia")[1],
        replay(tmp_path / "register", "examplia", **variation),  # type: ignore[arg-type]
        strict=True,
    ):
        assert_same(output, first)


@pytest.fixture(scope="module")
def sail() -> Iterator[str]:
    pytest.importorskip("pysail", reason="the Sail server is not installed")
    pytest.importorskip("pyspark", reason="the Spark Connect client is not installed")
    with SailServer() as address:
        yield address


def test_lists_are_the_same_bytes_on_another_engine(
    sail: str, tmp_path: Path, replays: Callable[[str], tuple[Workspace, list[Output]]]
) -> None:
    def engine() -> Engine:
        return SparkEngine(sail, tmp_path / "scratch")

    for first, (_, output) in zip(
        replays("examplia")[1], replay(tmp_path / "register", "examplia", engine=engine), strict=True
    ):
        assert_same(output, first)


def assert_same(found: Output, wanted: Output) -> None:
    assert sorted(found) == sorted(wanted)
    different = [name for name in wanted if found[name] != wanted[name]]
    for name in different:
        if name.endswith(".csv"):
            assert found[name].decode().splitlines() == wanted[name].decode().splitlines(), name
    assert different == []
