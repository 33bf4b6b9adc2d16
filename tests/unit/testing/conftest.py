from pathlib import Path

import pytest
from written_country import Country, Written, load

from ceir.testing.country import CountrySpec, write_country


@pytest.fixture(scope="session")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    """Writes each wanted country once a session."""
    made: dict[CountrySpec, Written] = {}

    def give(**knobs: object) -> Written:
        spec = CountrySpec(**knobs)  # type: ignore[arg-type]
        if spec not in made:
            made[spec] = load(spec, write_country(spec, tmp_path_factory.mktemp("country") / "files"))
        return made[spec]

    return give


@pytest.fixture(scope="session")
def usual(country: Country) -> Written:
    return country(subscribers=20_000)


@pytest.fixture(scope="session")
def clean(country: Country) -> Written:
    return country(subscribers=20_000, clean=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "country"
