"""Writes the pins: constraints.txt with hashes, and the same versions into pyproject.toml.

Why both: `uv run` resolves by `[tool.uv] constraint-dependencies`, so a newcomer gets the versions that were
tested; an installation that wants every byte checked uses
`uv pip install --require-hashes -r constraints.txt`. No committed file names where packages come from.
"""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "# pins: begin (just pins)", "# pins: end"


def main() -> None:
    """Resolve anew and write both files."""
    project = ROOT / "pyproject.toml"
    text = project.read_text()
    project.write_text(_with_pins(text, []))
    (ROOT / "uv.lock").unlink(missing_ok=True)
    subprocess.run(["uv", "lock", "--quiet"], cwd=ROOT, check=True)  # noqa: S607
    exported = subprocess.run(
        ["uv", "export", "--quiet", "--all-groups", "--no-emit-project", "--no-header", "--no-annotate"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    if "://" in exported:
        raise SystemExit("the export names an address; it must not be committed")
    (ROOT / "constraints.txt").write_text(
        "# Every package with its hashes, for: uv pip install --require-hashes -r constraints.txt\n"
        + exported
    )
    pins = sorted(
        set(re.findall(r"^([A-Za-z0-9_.\[\]-]+==[^ \\\n]+(?: ; [^\\\n]+)?)", exported, re.MULTILINE))
    )
    project.write_text(_with_pins(text, [p.strip() for p in pins]))
    subprocess.run(["uv", "lock", "--quiet"], cwd=ROOT, check=True)  # noqa: S607


def _with_pins(text: str, pins: list[str]) -> str:
    lines = "".join(f'  "{pin.replace(chr(34), chr(39))}",\n' for pin in pins)
    block = f"{BEGIN}\nconstraint-dependencies = [\n{lines}]\n{END}"
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if pattern.search(text):
        return pattern.sub(lambda _: block, text)
    return text.replace('default-groups = ["dev"]\n', f'default-groups = ["dev"]\n{block}\n')


if __name__ == "__main__":
    main()
