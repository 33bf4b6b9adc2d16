"""The jobs: they plan, send, settle, hold and forget by themselves, and say so."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from notices_world import AMINA, BADRU, A, B, Country, noon

from ceir.registry.jobs import all_jobs
from ceir.registry.notices.jobs import JOBS
from ceir.registry.notices.opening import close_all

FILE = """
name = "Office"
short_code = "*123#"
quiet = {{ begin = 21:00:00, end = 08:00:00, zone = "Africa/Nairobi" }}

[[gateways]]
name = "trial"
kind = "console"

[gateways.options]
file = "{shown}"
"""


def test_every_job_does_its_part_and_says_so(
    country: Country, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notices.toml").write_text(FILE.format(shown=tmp_path / "texts"), encoding="utf-8")
    monkeypatch.setattr(settings, "CEIR_NOTICES", tmp_path / "notices.toml")
    country.take((A, AMINA), (B, BADRU))
    told = []
    try:
        for at in (noon(7), noon(6)):
            told += [(job.name, job.run(at)) for job in JOBS]
    finally:
        close_all()
    assert told[:3] == [
        ("notices-plan", "2 planned"), ("notices-send", "2 sent"), ("notices-codes", "nothing to do")
    ]  # fmt: skip
    assert {what for _, what in told[3:]} == {"nothing to do"}
    lines = [json.loads(line) for line in (tmp_path / "texts").read_text(encoding="utf-8").splitlines()]
    assert sorted(line["to"] for line in lines) == [AMINA, BADRU]
    assert not [what for _, what in told if AMINA in what]


def test_where_nothing_is_set_up_the_jobs_say_so(country: Country) -> None:
    country.take((A, AMINA))
    assert settings.CEIR_NOTICES is None
    told = {job.name: job.run(noon(7)) for job in JOBS if job.name != "notices-forget"}
    assert set(told.values()) == {"no gateway is set up"}


def test_the_worker_finds_them() -> None:
    assert {job.name for job in JOBS} <= set(all_jobs())
