"""The benchmark of clones is no part of the package: its folder goes onto the path here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
