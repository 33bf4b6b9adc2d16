"""Replays the committed input on a register, run by run, and gives what it publishes."""

import gzip
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from building import Register
from ceir.pipeline.engines import Engine
from ceir.policy import shipped_policies

from .country import RUNS
from .making import WRONG_FILE, Step, read_plan

HERE = Path(__file__).parent
INPUT, EXPECTED = HERE / "input", HERE / "expected"

POLICIES = {
    # without what rests on a score: that follows every tuning of the weights, and is measured elsewhere
    "examplia": HERE / "examplia.toml",
    "dirbs-sample": shipped_policies()["dirbs-sample"],
    "strict": HERE / "strict.toml",
}

Output = dict[str, bytes]
"""What a run gives, by name of the file: the export of verdicts, and lists and changes as CSV and Parquet."""


def replay(
    root: Path,
    policy: str,
    *,
    threads: int = 1,
    memory_gb: float | None = None,
    engine: Callable[[], Engine] | None = None,
    shuffled: bool = False,
) -> Iterator[tuple[Register, Output]]:
    """The register after each run, with what the run published.

    Args:
        shuffled: the rows of every file, and the files of every run, come in another order.
    """
    register = Register.make(root, POLICIES[policy], threads=threads, memory_gb=memory_gb, engine=engine)
    wrong = 0
    plan = list(read_plan(INPUT))
    for run in RUNS:
        steps = [step for step in plan if step.run == run]
        takes = [step for step in steps if step.action == "take"]
        if any(step.action == "undo" for step in steps):
            register.undo(wrong)
        for step in reversed(takes) if shuffled else takes:
            taken = register.deliver(
                step.source,
                _shuffled(step, root) if shuffled else INPUT / f"{step.file}.gz",
                step.day,
                operator=step.operator or None,
                delta=step.delta == "delta",
            )
            if step.delta == WRONG_FILE:
                wrong = taken.id
        # the fuses of the shipped policies hold by themselves
        register.classify(steps[-1].day, accepted={})
        register.publish()
        yield register, {"verdicts.csv": register.export(), **register.list_bytes()}


def text_of(output: Output) -> Output:
    """What is compared with the committed files: CSV, the same under any version of the libraries."""
    return {name: content for name, content in output.items() if name.endswith(".csv")}


def expected(policy: str, run: int) -> Output:
    """What was committed for a run."""
    folder = EXPECTED / policy / f"run{run}"
    return {
        str(file.relative_to(folder)).removesuffix(".gz"): gzip.decompress(file.read_bytes())
        for file in sorted(folder.rglob("*.gz"))
    } | {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*.csv"))}


def _shuffled(step: Step, root: Path) -> Path:
    """The file with its rows in an order that means nothing."""
    header, *rows = gzip.decompress((INPUT / f"{step.file}.gz").read_bytes()).decode().splitlines()
    rows.sort(key=lambda row: hashlib.sha256(row.encode()).digest())
    file = root.with_name(f"{root.name}-shuffled") / step.file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{row}\n" for row in (header, *rows)), encoding="utf-8")
    return file
