"""A real Spark cluster on this machine: a master, two workers and a Spark Connect server, each a process."""

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
WORKERS = 2
UP_WITHIN_SECONDS = 60.0
LIFETIME_SECONDS = 600
"""Even if the tests are killed, nothing of the cluster runs longer."""

QUICK_JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""These processes live for a minute: starting matters more than running."""


@dataclass(frozen=True)
class Cluster:
    """Where the cluster listens.

    Args:
        remote: address of its Spark Connect server.
        master_pages: address of the master's pages.
        driver_pages: address of the pages of the driver, which is the Spark Connect server.
    """

    remote: str
    master_pages: str
    driver_pages: str

    def workers(self) -> list[dict[str, Any]]:
        """The workers that the master counts as alive."""
        return [w for w in _json(f"{self.master_pages}/json/")["workers"] if w["state"] == "ALIVE"]

    def executors(self) -> list[dict[str, Any]]:
        """The executors of the Spark Connect server, the driver left out."""
        applications = f"{self.driver_pages}/api/v1/applications"
        found = _json(f"{applications}/{_json(applications)[0]['id']}/executors")
        return [e for e in found if e["id"] != "driver"]


def missing_parts() -> str:
    """What a cluster needs and this machine lacks, in words; empty: nothing."""
    if importlib.util.find_spec("pyspark") is None:
        return "the package pyspark is not installed"
    for program in ("java", "timeout"):
        if shutil.which(program) is None:
            return f"there is no {program} on the PATH"
    if not any((_home() / "jars").glob("spark-connect_*.jar")):
        return "the package pyspark brings no Spark Connect server"
    return ""


@contextmanager
def spark_cluster(folder: Path) -> Iterator[Cluster]:
    """A standalone cluster with one core and one GB for each worker, stopped at the end whatever happens."""
    port, pages, connect, driver = (_free_port() for _ in range(4))
    master = f"spark://{HOST}:{port}"
    with ExitStack() as stack:
        processes: dict[str, subprocess.Popen[bytes]] = {}

        def start(name: str, memory: str, *command: str) -> None:
            processes[name] = stack.enter_context(_process(name, memory, command, folder))

        def wait(what: str, ready: Callable[[], bool]) -> None:
            _wait(what, ready, processes, folder)

        start(
            "master",
            "256m",
            *("bin/spark-class", "org.apache.spark.deploy.master.Master"),
            *("--host", HOST, "--port", str(port), "--webui-port", str(pages)),
        )
        wait("the master", lambda: _listens(port))
        for number in range(WORKERS):
            start(
                f"worker-{number}",
                "256m",
                *("bin/spark-class", "org.apache.spark.deploy.worker.Worker"),
                *("--host", HOST, "--port", "0", "--webui-port", "0", "--cores", "1", "--memory", "1g"),
                *("--work-dir", str(folder / f"work-{number}"), master),
            )
        settings = {
            "spark.connect.grpc.binding.address": HOST,
            "spark.connect.grpc.binding.port": connect,
            "spark.driver.host": HOST,
            "spark.driver.bindAddress": HOST,
            "spark.driver.defaultJavaOptions": QUICK_JVM,
            "spark.executor.defaultJavaOptions": QUICK_JVM,
            "spark.executor.memory": "640m",
            "spark.executor.cores": 1,
            "spark.scheduler.minRegisteredResourcesRatio": 1.0,  # wait for both executors
            "spark.locality.wait": "0s",
            # planning a small country anew after every stage takes longer than computing it
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.shuffle.partitions": 2,
            "spark.ui.port": driver,
            "spark.ui.showConsoleProgress": "false",
        }
        start(
            "connect",
            "1g",
            *("bin/spark-submit", "--class", "org.apache.spark.sql.connect.service.SparkConnectServer"),
            *("--master", master),
            *(part for key, value in settings.items() for part in ("--conf", f"{key}={value}")),
            "spark-internal",
        )
        cluster = Cluster(f"sc://{HOST}:{connect}", f"http://{HOST}:{pages}", f"http://{HOST}:{driver}")
        wait("the Spark Connect server", lambda: _listens(connect))
        wait("two workers", lambda: len(cluster.workers()) == WORKERS)
        wait("two executors", lambda: len(cluster.executors()) == WORKERS)
        yield cluster


def _home() -> Path:
    spec = importlib.util.find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@contextmanager
def _process(
    name: str, memory: str, command: tuple[str, ...], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process group of its own, with its words in `<name>.log`; gone at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    home = _home()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("SPARK_", "PYSPARK_"))},
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": HOST,
        "SPARK_LOCAL_DIRS": str(folder / "spill"),
        "SPARK_CONF_DIR": str(folder / "conf"),
        "SPARK_DAEMON_MEMORY": memory,
        "SPARK_CONNECT_MODE": "0",
        "SPARK_DAEMON_JAVA_OPTS": QUICK_JVM,
        "SPARK_LAUNCHER_OPTS": QUICK_JVM,
    }
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            ["timeout", "--kill-after=5", str(LIFETIME_SECONDS), str(home / command[0]), *command[1:]],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for how, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, how)
            process.wait(seconds)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind((HOST, 0))
        return int(opened.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as opened:
        opened.settimeout(1)
        return opened.connect_ex((HOST, port)) == 0


def _json(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - an address made here
        return json.load(answer)


def _wait(
    what: str, ready: Callable[[], bool], processes: Mapping[str, subprocess.Popen[bytes]], folder: Path
) -> None:
    deadline = time.monotonic() + UP_WITHIN_SECONDS
    while time.monotonic() < deadline:
        for name, process in processes.items():
            if process.poll() is not None:
                raise ChildProcessError(f"{name} ended while {what} came up:\n{_last_words(folder, name)}")
        try:
            if ready():
                return
        except (urllib.error.URLError, OSError, IndexError):
            pass
        time.sleep(0.1)
    told = "\n".join(f"{name}: {_last_words(folder, name)}" for name in processes)
    raise TimeoutError(f"{what}: not up within {UP_WITHIN_SECONDS:.0f} s\n{told}")


def _last_words(folder: Path, name: str) -> str:
    return (folder / f"{name}.log").read_text(errors="replace")[-2000:]
