"""A session with a message centre: bound again whenever it breaks, one thread that reads, any that send."""

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

import structlog

from ceir.registry.gateways._smpp_line import Line
from ceir.registry.gateways._smpp_pdu import (
    ALREADY_BOUND,
    HEADER,
    ROK,
    BrokenUnitError,
    Unit,
    UnreadableUnitError,
    described,
    length_of,
    make,
    read,
)

_log = structlog.get_logger()
_LAST_SEQUENCE = 0x7FFFFFFF
_LONGEST_PAUSE = 60.0

Delivered: TypeAlias = Callable[[Unit], int]
"""Takes a message from the centre; gives the status it is answered with."""


@dataclass(frozen=True)
class Binding:
    """Whom to bind to, and how long to wait.

    Args:
        tls: None: in clear, within a tunnel of the operator's.
        answer_seconds: for an answer.
        quiet_seconds: of silence until the line is tried; as many again, and it is given up.
        pause_seconds: before the first new attempt; doubled for each further one, up to a minute.
    """

    host: str
    port: int
    system_id: str
    password: str
    system_type: str = ""
    tls: ssl.SSLContext | None = None
    answer_seconds: float = 30.0
    quiet_seconds: float = 30.0
    pause_seconds: float = 1.0

    def __repr__(self) -> str:
        return f"Binding({self.host}:{self.port})"


class NotSentError(Exception):
    """A unit was certainly not sent: there is no session."""


class NoAnswerError(Exception):
    """A unit was sent, and its answer never came."""


@dataclass
class _Waiting:
    """Who waits for an answer."""

    done: threading.Event = field(default_factory=threading.Event)
    unit: Unit | None = None


class Session:
    """Bound as a transceiver; used from any thread."""

    def __init__(self, binding: Binding, delivered: Delivered) -> None:
        self._binding = binding
        self._delivered = delivered
        self._lock = threading.Lock()  # of all below, and of writing
        self._line: Line | None = None
        self._sequence = 0
        self._waiting: dict[int, _Waiting] = {}
        self._bound = threading.Event()
        self._closing = threading.Event()
        self.problem = "not connected yet"
        self._thread = threading.Thread(target=self._run, name="smpp", daemon=True)
        self._thread.start()

    def wait_bound(self, seconds: float) -> bool:
        """Whether it is bound, waiting so long at most."""
        return self._bound.wait(seconds)

    def ask(self, command: str, **fields: object) -> Unit:
        """Send a unit and wait for its answer.

        Raises:
            NotSentError: there is no session; nothing was sent.
            NoAnswerError: it was sent, and no answer came in time or the session broke.
        """
        waiting = _Waiting()
        with self._lock:
            if self._line is None or not self._bound.is_set():
                raise NotSentError(self.problem)
            sequence = self._next()
            unit = make(command, sequence, ROK, fields)
            self._waiting[sequence] = waiting
            try:
                self._line.write(unit, self._binding.answer_seconds)
            except OSError as error:
                # A part of it may have gone out; without its end nobody acts on it.
                self._waiting.pop(sequence, None)
                self._drop()
                raise NoAnswerError("the connection broke while sending") from error
        waiting.done.wait(self._binding.answer_seconds)
        with self._lock:
            self._waiting.pop(sequence, None)
        if waiting.unit is None:
            raise NoAnswerError("no answer came")
        return waiting.unit

    def close(self) -> None:
        """Unbind and stop; waits for the other side a moment."""
        self._closing.set()
        with self._lock:
            if self._line is not None and self._bound.is_set():
                with suppress(OSError):
                    self._line.write(make("unbind", self._next()), 1.0)
        self._thread.join(min(self._binding.answer_seconds, 5.0))
        with self._lock:
            self._drop()
        self._thread.join(5.0)

    def _run(self) -> None:
        pause = self._binding.pause_seconds
        while not self._closing.is_set():
            try:
                self._bind()
                pause = self._binding.pause_seconds
                self._read()
            except (OSError, BrokenUnitError, NoAnswerError) as error:
                self.problem = str(error) or type(error).__name__
                if not self._closing.is_set():
                    _log.warning("smpp_session_broken", centre=repr(self._binding), problem=self.problem)
            finally:
                with self._lock:
                    self._drop()
            self._closing.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _bind(self) -> None:
        b = self._binding
        raw = socket.create_connection((b.host, b.port), timeout=b.answer_seconds)
        try:
            line = Line(b.tls.wrap_socket(raw, server_hostname=b.host) if b.tls else raw)
        except (OSError, ValueError):
            raw.close()
            raise
        with self._lock:
            self._line = line
            fields = {"system_id": b.system_id, "password": b.password, "system_type": b.system_type}
            line.write(make("bind_transceiver", self._next(), ROK, fields), b.answer_seconds)
        answer = self._unit(line, b.answer_seconds)
        if answer.command != "bind_transceiver_resp" or answer.status not in (ROK, ALREADY_BOUND):
            raise NoAnswerError(f"the centre refuses to bind: {described(answer.status)}")
        self._bound.set()
        _log.info("smpp_bound", centre=repr(b))

    def _read(self) -> None:
        line = self._line
        assert line is not None
        tried = False
        while True:
            try:
                unit = self._unit(line, self._binding.quiet_seconds)
            except TimeoutError:
                if tried:
                    raise NoAnswerError("the line is dead") from None
                tried = True
                with self._lock:
                    line.write(make("enquire_link", self._next()), self._binding.answer_seconds)
                continue
            except UnreadableUnitError as error:
                _log.warning("smpp_unit_refused", problem=str(error))
                self._write(line, error.answer())
                continue
            tried = False
            if not self._take(line, unit):
                return

    def _take(self, line: Line, unit: Unit) -> bool:
        """Do what a unit asks for; whether the session goes on."""
        if unit.command.endswith("_resp") or unit.command == "generic_nack":
            with self._lock:
                waiting = self._waiting.get(unit.sequence)
            if waiting is not None:
                waiting.unit = unit
                waiting.done.set()
            return unit.command != "unbind_resp"
        if unit.command == "deliver_sm":
            status = self._delivered(unit)
            self._write(line, make("deliver_sm_resp", unit.sequence, status, {"message_id": ""}))
        elif unit.command == "enquire_link":
            self._write(line, make("enquire_link_resp", unit.sequence))
        elif unit.command == "unbind":
            self._write(line, make("unbind_resp", unit.sequence))
            self.problem = "the centre ended the session"
            return False
        return True

    def _unit(self, line: Line, seconds: float) -> Unit:
        header = line.read(HEADER, seconds)
        rest = length_of(header) - HEADER
        return read(header + (line.read(rest, self._binding.answer_seconds) if rest else b""))

    def _write(self, line: Line, unit: bytes) -> None:
        with self._lock:
            line.write(unit, self._binding.answer_seconds)

    def _next(self) -> int:
        self._sequence = self._sequence % _LAST_SEQUENCE + 1
        return self._sequence

    def _drop(self) -> None:
        """Close the line and let everybody who waits know; with the lock held."""
        self._bound.clear()
        if self._line is not None:
            self._line.close()
            self._line = None
        for waiting in self._waiting.values():
            waiting.done.set()
        self._waiting.clear()
