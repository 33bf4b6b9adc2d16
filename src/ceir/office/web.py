"""The process that answers pages and API: Granian in front of Django, with its static files."""

import functools
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from ceir.interfaces.serving.logs import log_as_json
from ceir.office.configuration import Office, options_of, read_orders, ready_file
from ceir.office.lineage import watch_parent
from ceir.registry.project.configuring import configure

_BACKLOG = 1024
_MOST_WAITING = 256
"""Requests that a process holds for its threads; others wait in the kernel's queue."""

_STATIC_SECONDS = 3600
_TEXT = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]

_log = logging.getLogger("ceir.office.web")

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


def main(folder: Path, name: str) -> None:
    """Answer until SIGTERM."""
    log_as_json()
    office = read_orders(folder).office
    watch_parent(os.getppid(), office.grace_seconds)
    tls: dict[str, Any] = {}
    if office.tls is not None:
        tls = {"ssl_cert": office.tls.certificate, "ssl_key": office.tls.key}
    server = Granian(
        "ceir.office.web",
        address=office.host,
        port=office.port,
        interface=Interfaces.WSGI,
        workers=office.web_processes,
        blocking_threads=office.web_threads,
        # A thread that ends leaves its connection to the database to the collector of garbage.
        blocking_threads_idle_timeout=600,
        backlog=_BACKLOG,
        backpressure=max(office.web_threads, _MOST_WAITING),
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=max(1, int(office.grace_seconds) - 5),
        log_level=LogLevels.error,
        log_dictconfig=_granian_logs(),
        **tls,
    )
    ready = ready_file(folder, name)
    server.serve(target_loader=functools.partial(_load, folder, os.getpid(), ready), wrap_loader=False)


def _load(folder: Path, parent: int, ready: Path) -> Application:
    """In each process that answers: Django, once."""
    log_as_json()
    told = read_orders(folder)
    watch_parent(parent, told.office.grace_seconds)
    configure(options_of(told))
    application = build(told.office)
    ready.touch()
    return application


def build(office: Office) -> Application:
    """The application: health, static files, then Django. Django is set up already."""
    from django.contrib.staticfiles.finders import get_finders  # noqa: PLC0415 - Django is set up by now
    from django.core.handlers.wsgi import WSGIHandler  # noqa: PLC0415
    from django.http import HttpRequest  # noqa: PLC0415
    from django.http.response import HttpResponseBase  # noqa: PLC0415
    from whitenoise import WhiteNoise  # type: ignore[import-untyped]  # noqa: PLC0415

    from ceir.office.measuring import REQUESTS  # noqa: PLC0415 - where to count is known by now

    class Told(WSGIHandler):
        """Tells and counts each request: its route, never its path, which may name a device or a person."""

        def get_response(self, request: HttpRequest) -> HttpResponseBase:
            began = time.perf_counter()
            response = super().get_response(request)
            seconds = time.perf_counter() - began
            match = request.resolver_match
            route = match.route if match is not None else ""
            area = "api" if request.path_info.startswith("/api/") else "pages"
            method = request.method if request.method in _METHODS else "other"
            REQUESTS.labels(area, method, str(response.status_code)).observe(seconds)
            _log.info(
                "request",
                extra={
                    "method": method,
                    "route": route,
                    "status": response.status_code,
                    "ms": round(seconds * 1000, 1),
                },
            )
            return response

    django = Told()
    static = WhiteNoise(django, max_age=_STATIC_SECONDS)
    for finder in get_finders():
        for place in getattr(finder, "storages", {}).values():
            static.add_files(place.location, prefix="static/")

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path in ("/healthz", "/readyz") and environ.get("REQUEST_METHOD") in ("GET", "HEAD"):
            reason = _why_not_ready() if path == "/readyz" else None
            start_response("503 Service Unavailable" if reason else "200 OK", list(_TEXT))
            return [f"{reason}\n".encode() if reason else b"ready\n"]
        return static(environ, start_response)  # type: ignore[no-any-return]

    if office.tls is None:
        return answer

    def with_tls(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.url_scheme"] = "https"
        return answer(environ, start_response)

    return with_tls


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_last_look: list[float] = [0.0]
_LOOK_SECONDS = 1.0


def _why_not_ready() -> str | None:
    """Whether the database answers; asked once a second at most, for anybody may ask here."""
    from django.db import Error, connection  # noqa: PLC0415

    if time.monotonic() - _last_look[0] < _LOOK_SECONDS:
        return None
    try:
        try:
            _ask(connection)
        except Error:
            # The connection may be one from before the database was started again: a new one decides.
            connection.close()
            _ask(connection)
    except Error:
        return "the database does not answer"
    _last_look[0] = time.monotonic()
    return None


def _ask(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _granian_logs() -> dict[str, Any]:
    """Granian's own events go where all others go."""
    return {"handlers": {}, "formatters": {}, "loggers": {"_granian": {"propagate": True}}}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
