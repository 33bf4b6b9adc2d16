from collections.abc import Iterator
from pathlib import Path

import pytest
from notices_world import Country, Shown


@pytest.fixture
def country(tmp_path: Path) -> Country:
    return Country(tmp_path)


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[Shown]:
    made = Shown(tmp_path / "shown")
    yield made
    made.gateway.close()
