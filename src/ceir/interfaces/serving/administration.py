"""Health, readiness and metrics, on a port of their own."""

from collections.abc import Callable, Iterable
from typing import Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

_TEXT = "text/plain; charset=utf-8"


class _Scope(Protocol):
    @property
    def method(self) -> str: ...

    @property
    def path(self) -> str: ...


class _Transport(Protocol):
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


class _Collecting(Collector):
    def __init__(self, metrics: Callable[[], Iterable[Metric]]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics()


class Administration:
    """An RSGI application with `/healthz`, `/readyz` and `/metrics`.

    Keep its port away from networks that only ask about equipment.

    Args:
        ready: a reason why requests should not be sent here, for people; None: they should.
        metrics: everything measured, asked at each scrape.
    """

    def __init__(self, ready: Callable[[], str | None], metrics: Callable[[], Iterable[Metric]]) -> None:
        self._ready = ready
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Collecting(metrics))

    async def __rsgi__(self, scope: _Scope, transport: _Transport) -> None:
        """One request."""
        status, kind, body = self._answer(scope.method, scope.path)
        fields = [("content-type", kind), ("cache-control", "no-store")]
        transport.response_bytes(status, fields, b"" if scope.method == "HEAD" else body)

    def _answer(self, method: str, path: str) -> tuple[int, str, bytes]:
        if method not in ("GET", "HEAD"):
            return 405, _TEXT, b"GET or HEAD\n"
        if path == "/healthz":
            return 200, _TEXT, b"alive\n"
        if path == "/readyz":
            reason = self._ready()
            return (200, _TEXT, b"ready\n") if reason is None else (503, _TEXT, f"{reason}\n".encode())
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest(self._registry)
        return 404, _TEXT, b"/healthz, /readyz or /metrics\n"
