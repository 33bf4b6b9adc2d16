"""Measures how well clones are found, on worlds with hidden truth, and writes results/ and a report.

    just bench-clones                        (the weights that come along; writes the report)
    just bench-clones --fit clones-3         (first fits new weights on the worlds A only)
    just bench-clones --labels labels.csv --workspace DIR [--as-of DATE]   (an operator's own hashed data)

Precision on synthetic worlds is not precision in the field.
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from ceir.policy.loading import load_policy
from clones import cases as running
from clones.calibrating import LABEL, of_own_data, of_worlds
from clones.cases import MODES, Case, run_world, weekly
from clones.filed import Filed
from clones.judging import judge
from clones.own_data import score_own
from clones.report import write_report
from clones.scoring import days_to_detect
from clones.tuning import tune
from clones.worlds import LAST_DAY, World, sets, sha256_of

HERE = Path(__file__).parent
RESULTS = HERE / "results"
WEIGHTS = HERE.parents[1] / "src" / "ceir" / "weights"

CAUTIONS = (
    "Precision on synthetic worlds is not precision in the field: the worlds hold the confounders that we "
    "thought of, as often as we guessed.",
    "Both generators were written in one project; the second shares no code and no movement model with the "
    "first, but it is no stranger's.",
    "About one IMEI in a hundred is copied here, several times what regulators report, so that there are "
    "cases to count; where clones are rarer, the same false calls weigh more against precision.",
    "Detailed sightings are written for identities with several subscribers and a few others; the others "
    "would change no figure.",
)


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lines", type=int, default=12_000, help="subscriptions of a world, about")
    parser.add_argument("--seeds", type=int, default=3, help="worlds of each set A, B and second")
    parser.add_argument("--without", type=int, default=2, help="worlds without clones, of both makes in turn")
    parser.add_argument(
        "--weeks", type=int, default=6, help="earlier weeks classified to see days to detect; 0: none"
    )
    parser.add_argument(
        "--weights",
        default="",
        help="weights to report on; by default the newest calibrated ones, or else the newest",
    )
    parser.add_argument("--fit", default="", metavar="NAME", help="fit these weights on the worlds A first")
    parser.add_argument("--only", default="B,second,none", help="sets to report on, of A,B,second,none")
    parser.add_argument("--modes", default=",".join(MODES), help=f"of {','.join(MODES)}, in this order")
    parser.add_argument("--keep", type=Path, help="folder for facts and truths as JSON lines")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of results.json and report.html")
    parser.add_argument("--labels", type=Path, help="labels of an operator's own data: imei,imsi,truth")
    parser.add_argument("--workspace", type=Path, help="the classified workspace that the labels are about")
    parser.add_argument("--as-of", type=date.fromisoformat, help="day of the run; by default the newest")
    parser.add_argument(
        "--calibration", type=Path, help="write what was measured as ceir what-if and ceir activate want it"
    )
    parser.add_argument(
        "--measured", type=Path, help="results.json of an earlier measurement: only write its --calibration"
    )
    chosen = parser.parse_args()
    console = Console(stderr=True)
    if chosen.measured:
        if not chosen.calibration:
            parser.error("--measured needs --calibration")
        _calibrate(of_worlds(json.loads(chosen.measured.read_text(encoding="utf-8"))), chosen, console)
        return
    if chosen.labels:
        if not chosen.workspace:
            parser.error("--labels needs --workspace")
        own = score_own(chosen.labels, chosen.workspace, chosen.as_of)
        print(json.dumps(own, indent=1))
        if chosen.calibration:
            policy, _ = load_policy(chosen.workspace / "policy.toml")
            _calibrate(of_own_data(own, policy.conditions[LABEL]), chosen, console)
        return
    worlds = sets(chosen.lines, chosen.seeds, chosen.without)
    if chosen.fit:
        _fit_first(worlds["A"], chosen, console)
    with tempfile.TemporaryDirectory(prefix="ceir-bench-clones-") as place:
        folder = Path(place)
        name = chosen.weights or newest()
        result: dict[str, Any] = {
            "measured_on": datetime.now(UTC).date().isoformat(),
            "command": f"just bench-clones {' '.join(sys.argv[1:])}",
            "lines_a_world": chosen.lines,
            "weights": described(name),
            "worlds_sha256": {purpose: sha256_of(each) for purpose, each in worlds.items()},
            "cautions": list(CAUTIONS),
            "sets": {},
        }
        chosen.output.mkdir(parents=True, exist_ok=True)
        for purpose in chosen.only.split(","):
            result["sets"][purpose] = report_on(purpose, worlds[purpose], folder, name, chosen, console)
            # After each set, so that what was measured is kept whatever happens later.
            text = json.dumps(result, indent=1) + "\n"
            (chosen.output / "results.json").write_text(text, encoding="utf-8")
            write_report(result, chosen.output / "report.html")
            console.print(f"written: {chosen.output}/results.json and report.html")
        if chosen.calibration:
            _calibrate(of_worlds(result), chosen, console)


def _calibrate(text: str, chosen: Any, console: Console) -> None:
    chosen.calibration.write_text(text, encoding="utf-8")
    console.print(f"written: {chosen.calibration}")


def _fit_first(worlds: tuple[World, ...], chosen: Any, console: Console) -> None:
    """Fits on the worlds A and starts over: a process of the product reads its weights once."""
    command = f"just bench-clones --lines {chosen.lines} --seeds {chosen.seeds} --modes {chosen.modes}"
    with tempfile.TemporaryDirectory(prefix="ceir-bench-clones-") as place:
        made = _cases(worlds, Path(place), None, chosen, console)[0]
    cases = [case for by_mode in made for case in by_mode.values()]
    tune(chosen.fit, cases, WEIGHTS, f"{command} --fit {chosen.fit}", datetime.now(UTC).date())
    given = [word for word in sys.argv[1:] if word != f"--fit={chosen.fit}"]
    if "--fit" in given:
        place_of = given.index("--fit")
        del given[place_of : place_of + 2]
    os.execv(sys.executable, [sys.executable, "-m", "clones.measure", *given, "--weights", chosen.fit])  # noqa: S606


def report_on(
    purpose: str, worlds: tuple[World, ...], folder: Path, name: str, chosen: Any, console: Console
) -> dict[str, Any]:
    """Figures of a set of worlds, by mode."""
    weights = Filed.read(WEIGHTS / f"{name}.toml") if name else None
    days = weekly(chosen.weeks) if purpose in {"B", "second"} and chosen.weeks else ()
    made, called = _cases(worlds, folder, name or None, chosen, console, days)
    found: dict[str, Any] = {}
    for mode in chosen.modes.split(","):
        console.print(f"{purpose}, {mode}: scoring")
        found[mode] = judge([cases[mode] for cases in made], weights, seed=7)
    if days:
        truth = next(iter(made[0].values())).truth
        new = {i: t for i, t in truth.items() if t.copied_on is not None and t.copied_on > days[0]}
        found["days_to_detect"] = {
            "world": worlds[0].name,
            "runs": [day.isoformat() for day in (*days, LAST_DAY)],
            "of": "identities copied for the first time after the first of these runs",
            **{way: days_to_detect(new, first, LAST_DAY) for way, first in called.items()},
        }
    return found


def _cases(
    worlds: tuple[World, ...],
    folder: Path,
    name: str | None,
    chosen: Any,
    console: Console,
    days: tuple[date, ...] = (),
) -> tuple[list[dict[str, Case]], dict[str, dict[str, date]]]:
    """Cases of the worlds, and when the first of them called its clones."""
    made, called = [], {}
    for number, world in enumerate(worlds):
        cases, first = run_world(
            world, folder, name, console.print, days if not number else (), chosen.modes.split(",")
        )
        called = called or first
        if chosen.keep:
            running.save(cases, chosen.keep)
        made.append(cases)
    return made, called


def newest() -> str:
    """The weights with the highest number, calibrated ones first; empty: there are none."""
    found = [Filed.read(path) for path in WEIGHTS.glob("*.toml")]
    ranked = [(bool(f.raw.get("calibrated")), int(f.name.rsplit("-", 1)[1]), f.name) for f in found]
    return max(ranked, default=(False, 0, ""))[2]


def described(name: str) -> dict[str, Any]:
    """Which weights, and their fingerprint."""
    if not name:
        return {"name": "", "note": "no weights come along: rules one by one only"}
    path = WEIGHTS / f"{name}.toml"
    raw = Filed.read(path).raw
    return {
        "name": name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "calibrated": bool(raw.get("calibrated")),
        "provenance": {key: str(value) for key, value in raw["provenance"].items()},
    }  # fmt: skip


if __name__ == "__main__":
    main()
