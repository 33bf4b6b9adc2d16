"""The server does what its OpenAPI description says, and refuses what it does not say."""

import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from n17_starting import Served

from ceir.interfaces.n17.codec import PARAMETERS, PATH, STATUS_WORDS
from ceir.interfaces.n17.problems import Cause

DESCRIPTION = Path(str(files("ceir.interfaces.n17") / "openapi.yaml"))


@pytest.mark.parametrize("seed", [1, 2])
def test_schemathesis_finds_no_failure(
    plain: Served, program: Callable[[str], str], seed: int, tmp_path: Path
) -> None:
    beside = Path(sys.executable).with_name("schemathesis")
    schemathesis = str(beside) if beside.exists() else program("schemathesis")
    told = subprocess.run(
        [
            schemathesis,
            "run",
            str(DESCRIPTION),
            "--url",
            f"http://127.0.0.1:{plain.port}{PATH.rsplit('/', 1)[0]}",
            "--checks=all",
            "--phases=examples,coverage,fuzzing",
            f"--seed={seed}",
            "--max-examples=200",
            "--no-color",
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=tmp_path,
    )
    assert told.returncode == 0, told.stdout


def test_the_description_names_what_the_code_knows() -> None:
    document = yaml.safe_load(DESCRIPTION.read_text())
    (operation,) = document["paths"]["/equipment-status"].values()
    assert [parameter["name"] for parameter in operation["parameters"]] == list(PARAMETERS)
    schemas = document["components"]["schemas"]
    assert set(schemas["EquipmentStatus"]["enum"]) == set(STATUS_WORDS.values())
    assert schemas["ProblemDetails"]["properties"]["cause"]["enum"] == [cause.value for cause in Cause]
    assert document["servers"][0]["url"] + "/equipment-status" == "{apiRoot}" + PATH
