"""Runs an N17 server for the tests of this directory in a process of its own, as operators do."""

import argparse
import asyncio
import time
from functools import partial
from pathlib import Path

from ceir.equipment_check import Answer, EquipmentStatus, Reason
from ceir.interfaces.n17.authorization import Authorizer, TokenTerms, VerificationKey
from ceir.interfaces.n17.overload import RateLimit
from ceir.interfaces.n17.server import N17Server
from ceir.interfaces.serving.administration import Administration
from ceir.interfaces.serving.http import HttpLimits, HttpVersions, Listen, Tls, serve_rsgi
from ceir.interfaces.serving.metrics import MetricsBoard
from ceir.interfaces.serving.workers import Care, run_workers
from vectors import SetChecker

INSTANCE = "54804518-4191-46b3-955c-ac631f953ed8"


class Slow:
    def verdict(self, imei: int | None, software_version: int | None, imsi: int | None) -> Answer:
        assert (imei, software_version, imsi) is not None
        time.sleep(0.2)
        return Answer(EquipmentStatus.TRACKED, Reason.DEFAULT)


async def work(options: argparse.Namespace, number: int, stop: asyncio.Event) -> None:
    tls = Tls(options.certificate, options.key, options.client_authorities) if options.certificate else None
    authorizer = None
    if options.token_key:
        key = VerificationKey.from_pem(options.token_key.read_bytes())
        authorizer = Authorizer(TokenTerms([key], instance=INSTANCE), time.time)
    board = counters(options) if options.administration else None
    server = N17Server(
        Slow() if options.slow else SetChecker(),
        Listen("127.0.0.1", options.port, tls, HttpVersions[options.versions]),
        HttpLimits(
            connections=options.connections, silence_seconds=options.silence, ping_seconds=options.ping
        ),
        gate=RateLimit(options.rate, options.rate, time.monotonic) if options.rate else None,
        observe=board.observer(number, "n17") if board else None,
        refused=board.refused(number, "n17") if board else None,
        authorizer=authorizer,
        instance=INSTANCE,
    )
    await server.serve(stop)


def counters(options: argparse.Namespace) -> MetricsBoard:
    return MetricsBoard(options.board, options.workers, ["n17"])


async def administer(options: argparse.Namespace, stop: asyncio.Event) -> None:
    board = counters(options)
    administration = Administration(lambda: None, lambda: board.metrics(time.time()))
    await serve_rsgi(administration, Listen("127.0.0.1", options.administration), HttpLimits(), stop)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--client-authorities", type=Path)
    parser.add_argument("--token-key", type=Path)
    parser.add_argument("--rate", type=int, default=0)
    parser.add_argument("--connections", type=int, default=1024)
    parser.add_argument("--silence", type=float, default=40)
    parser.add_argument("--ping", type=float, default=15)
    parser.add_argument("--versions", default="BOTH")
    parser.add_argument("--administration", type=int)
    parser.add_argument("--board", type=Path)
    parser.add_argument("--slow", action="store_true")
    options = parser.parse_args()
    beside = partial(administer, options) if options.administration else None
    run_workers(options.workers, partial(work, options), beside, Care(first_pause=0.1))


if __name__ == "__main__":
    main()
