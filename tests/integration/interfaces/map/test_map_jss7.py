"""jSS7, an independent stack of M3UA, SCCP, TCAP and MAP, asks our server as an IPSP over TCP."""

import asyncio
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from ceir.equipment_check import EquipmentStatus, Question
from ceir.interfaces.map.association import AssociationOptions
from ceir.interfaces.map.server import Listen, MapServer, Options
from ceir.interfaces.map.transport import Transport
from vectors import BLOCKED_IMEI, VECTORS, SetChecker

pytestmark = [
    pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program} ({package})")
    for program, package in (("mvn", "Debian: maven"), ("javac", "Debian: default-jdk-headless"))
]

JSS7 = Path(__file__).with_name("jss7")
CONTEXT, OWN, EIR = 5, 1, 2
WORDS = {
    EquipmentStatus.PERMITTED: "status:whiteListed",
    EquipmentStatus.BLOCKED: "status:blackListed",
    EquipmentStatus.TRACKED: "status:greyListed",
    EquipmentStatus.UNKNOWN: "error:7",
}


class Line(NamedTuple):
    """One question to the program, and what it must tell of the answer."""

    asked: str
    told: str


@pytest.fixture(scope="module")
def class_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("jss7") / "class-path"
    goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath"
    command = ["mvn", "-q", "-B", "-f", str(JSS7 / "pom.xml"), goal, f"-Dmdep.outputFile={file}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode:
        pytest.skip(f"jSS7 cannot be had: {done.stdout[-500:]}")
    return file.read_text()


@contextmanager
def running() -> Iterator[MapServer]:
    options = Options(
        listen=(Listen(port=0, transport=Transport.TCP),),
        association=AssociationOptions(CONTEXT, traffic_mode=2),
    )
    server = MapServer(SetChecker(), options)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(server.run(stop),))
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.ready.wait(), loop).result(30)
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


def ask(class_path: str, server: MapServer, routing: str, lines: list[Line], folder: Path) -> list[str]:
    words = [str(folder), str(server.ports[0]), routing, str(CONTEXT), str(OWN), str(EIR)]
    done = subprocess.run(
        ["java", "-XX:TieredStopAtLevel=1", "-cp", class_path, str(JSS7 / "Asks.java"), *words],
        input="".join(f"{line.asked}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        cwd=folder,
        env=os.environ | {"LC_ALL": "C"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def identity(question: Question) -> str:
    """15 digits, or 16 with the software version."""
    tail = "0" if question.software_version is None else f"{question.software_version:02}"
    return f"{question.imei:014}{tail}"


def lines() -> list[Line]:
    """The shared vectors in every version, the subscriber told in both ways there are."""
    made = []
    for question, answer in VECTORS:
        told = f"accept {WORDS[answer.status]} close"
        for version in (1, 2, 3):
            asked = f"{version} {identity(question)}"
            if question.imsi is None:
                made.append(Line(f"{asked} - -", told))
                continue
            imsi = str(question.imsi)[1:]
            if version < 3:
                made.append(Line(f"{asked} appended {imsi}", told))
            if version > 1:
                made.append(Line(f"{asked} reference {imsi}", told))
    return made


@pytest.mark.parametrize("routing", ["subsystem", "title"])
def test_jss7_gets_the_shared_answers_in_every_version(class_path: str, routing: str, tmp_path: Path) -> None:
    questions = lines()
    assert len(questions) > 50
    with running() as server:
        answers = ask(class_path, server, routing, questions, tmp_path)
        got = [Line(line.asked, answer) for line, answer in zip(questions, answers, strict=True)]
        assert got == questions
        assert server.counters.answered + server.counters.errors == len(questions)


def test_jss7_reads_our_refusals(class_path: str, tmp_path: Path) -> None:
    imsi = "001010123456789"
    refused = [
        # jSS7 writes an IMEI of 14 digits in seven octets, where TS 29.002 17.7.8 has eight: unexpected data.
        Line(f"3 {BLOCKED_IMEI} - -", "accept error:36 close"),
        # With an IMSI it begins version 3 with an empty sequence, which holds no IMEI.
        Line(
            f"3 {BLOCKED_IMEI}0 appended {imsi}",
            "accept reject:Problem[type=General generalProblemType=MistypedComponent] close",
        ),
        Line(f"3 {BLOCKED_IMEI}0 - -", "accept status:blackListed close"),
    ]
    with running() as server:
        assert ask(class_path, server, "subsystem", refused, tmp_path) == [line.told for line in refused]
