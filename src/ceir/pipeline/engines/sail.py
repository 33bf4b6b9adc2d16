"""Sail: a Spark Connect server inside this process, so that the second engine needs neither Java nor a
cluster."""

from types import TracebackType
from typing import TYPE_CHECKING

from ceir.pipeline.engines.engine import EngineError
from ceir.pipeline.engines.spark import missing

if TYPE_CHECKING:
    from pysail.spark import SparkConnectServer


class SailServer:
    """A Sail server on a free port of this machine, for the length of a `with`.

    Why: the same rules on an engine that shares no code with DuckDB show that they mean what they say.

    Raises:
        SparkMissingError: Sail is not installed (on entering).
    """

    def __init__(self) -> None:
        self._server: SparkConnectServer | None = None

    def __enter__(self) -> str:
        """Start it. Returns: its address for `SparkEngine`."""
        try:
            from pysail.spark import SparkConnectServer  # noqa: PLC0415 - optional
        except ImportError as error:
            raise missing("pysail") from error
        self._server = SparkConnectServer("127.0.0.1", 0)
        self._server.start(background=True)
        if (address := self._server.listening_address) is None:
            raise EngineError("The Sail server did not start.", "Look into what it wrote to standard error.")
        return f"sc://{address[0]}:{address[1]}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        if self._server is not None:
            self._server.stop()
            self._server = None
