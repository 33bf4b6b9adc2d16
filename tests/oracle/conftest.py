from pathlib import Path

import pytest

from .sketch import Sketch


@pytest.fixture
def draw(tmp_path: Path) -> Sketch:
    return Sketch(tmp_path)
