"""Gateways as this process has them open: message centres stay bound between jobs, and bring receipts."""

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from ceir.clock import Clock, system_clock
from ceir.registry.gateways import open_gateway
from ceir.registry.notices.configuration import NoticeConfiguration, read_configuration
from ceir.registry.notices.reports import keeper
from ceir.registry.notices.sending import Route
from ceir.registry.notices.terms import NoticeTerms


class Outlet:
    """The gateways of one configuration, open."""

    def __init__(self, configuration: NoticeConfiguration, clock: Clock) -> None:
        self.terms: NoticeTerms = configuration.terms
        self.routes: list[Route] = []
        self.locks: dict[str, threading.Lock] = {}
        try:
            for way in configuration.ways:
                keep = keeper(way.name, self.terms, clock)
                gateway = open_gateway(way.kind, way.options, keep, clock)
                self.routes.append(
                    Route(way.name, gateway, way.operators, way.besides, way.rest, way.address)
                )
                self.locks[way.name] = threading.Lock()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End every session."""
        for route in self.routes:
            route.gateway.close()


@contextmanager
def outlet(path: Path, clock: Clock = system_clock) -> Iterator[Outlet]:
    """Gateways for a while.

    Raises:
        NoticeConfigurationError, NoticeTermsError, WordingError, GatewayError: they cannot be as set up.
    """
    made = Outlet(read_configuration(path, settings.TIME_ZONE), clock)
    try:
        yield made
    finally:
        made.close()


_lock = threading.Lock()
_open: dict[tuple[int, str], tuple[object, Outlet]] = {}


def kept_open(path: Path, clock: Clock = system_clock) -> Outlet:
    """The gateways of this process; opened anew when the file was changed since.

    Raises:
        NoticeConfigurationError, NoticeTermsError, WordingError, GatewayError: they cannot be as set up; what
            is open stays open.
    """
    with _lock:
        key = (os.getpid(), str(path))
        stamp = _stamp(path)
        known = _open.get(key)
        if known is not None and known[0] == stamp:
            return known[1]
        configuration = read_configuration(path, settings.TIME_ZONE)
        if known is not None:
            known[1].close()
            del _open[key]
        _open[key] = (stamp, Outlet(configuration, clock))
        return _open[key][1]


@atexit.register
def close_all() -> None:
    """End every session that this process has."""
    with _lock:
        for (process, _), (_, found) in list(_open.items()):
            if process == os.getpid():
                found.close()
        _open.clear()


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None  # reading it tells why
    return found.st_mtime_ns, found.st_size, found.st_ino
