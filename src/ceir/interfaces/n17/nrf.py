"""Being found: registration at an NRF, and what else an NRF is asked."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import httpx

from ceir.errors import CeirError
from ceir.interfaces.n17.authorization import NF_TYPE, SCOPE
from ceir.interfaces.n17.profile import EirProfile, equipment_check_roots

_log = logging.getLogger(__name__)

_MERGE = "application/json-patch+json"
_HEARTBEAT_BOUNDS = (1, 3600)
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_LONGEST_WISH = 300.0
_LARGEST_ANSWER = 1_000_000
_GOODBYE_SECONDS = 3.0


class NrfError(CeirError):
    """An NRF did not do what it was asked.

    Args:
        retry_after: seconds that it asked to wait; None: it did not say.
        forgotten: True: it knows no registration of ours (any more).
    """

    code: ClassVar[str] = "nrf_refused"

    def __init__(self, detail: str, *, retry_after: float | None = None, forgotten: bool = False) -> None:
        super().__init__(detail, "Look at the NRF's own log and at the configured address.")
        self.retry_after = retry_after
        self.forgotten = forgotten


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token for the Authorization header, and the seconds for which it is good."""

    text: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Timing:
    """Time and chance, as arguments.

    Args:
        pause: waits so many seconds.
        chance: draws from 0 up to 1; spreads the retries of many instances after an NRF's restart.
    """

    pause: Callable[[float], Awaitable[None]]
    chance: Callable[[], float]


def nrf_http(authorities: ssl.SSLContext | None = None, seconds: float = 5) -> httpx.AsyncClient:
    """A client that speaks HTTP/2 with prior knowledge and over TLS, and nothing older.

    Args:
        authorities: whom to trust, and the own certificate; None: the system's.
        seconds: for each step of a request.

    Source: 3GPP TS 29.500 clause 5.2.1.
    """
    return httpx.AsyncClient(
        http1=False,
        http2=True,
        verify=True if authorities is None else authorities,
        timeout=seconds,
        follow_redirects=True,
        max_redirects=3,
        trust_env=False,
    )


class NrfRegistration:
    """Keeps an EIR registered until told to stop.

    It registers, beats as often as the NRF wants, registers again when the NRF has forgotten it, turns to the
    next NRF when one fails, and takes its leave in the end. It never gives up and never raises: answering
    goes on without an NRF.

    Args:
        http: from `nrf_http`; closed by whoever made it.
        roots: API roots of the NRFs, like `http://nrf:7777`, in the order to try; at least one.
        profile: what to register.
        timing: time and chance.
        load: own load in percent, asked at each beat.

    Source: 3GPP TS 29.510 clauses 5.2.2.2 (register), 5.2.2.3.2 (heart-beat), 5.2.2.4 (deregister).
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        roots: Sequence[str],
        profile: EirProfile,
        timing: Timing,
        load: Callable[[], int] = lambda: 0,
    ) -> None:
        self._http = http
        self._roots = [root.rstrip("/") for root in roots]
        self._profile = profile
        self._timing = timing
        self._load = load
        self._place = 0
        self.registered = False
        """True while the NRF, as far as known, has the registration."""

    async def run(self, stop: asyncio.Event) -> None:
        """Registers and stays registered until `stop` is set; then deregisters."""
        failures = 0
        beat = float(self._profile.heartbeat_seconds)
        while not stop.is_set():
            try:
                if self.registered:
                    beat = await self._beat(beat)
                else:
                    beat = await self._register()
                    _log.info("nrf_registered", extra={"heartbeat_seconds": beat})
                failures = 0
                # Early by chance: beats of many instances spread, and none comes late.
                wait = beat * (0.75 + 0.2 * self._timing.chance())
            except NrfError as problem:
                if self.registered and problem.forgotten:
                    self.registered = False
                    _log.warning("nrf_forgot_us")
                    continue
                failures += 1
                self.registered = False
                self._place = (self._place + 1) % len(self._roots)
                wait = self._wait(failures, problem.retry_after)
                _log.warning("nrf_failed", extra={"detail": problem.detail, "retry_seconds": round(wait, 1)})
            await self._pause(wait, stop)
        if self.registered:
            await self._deregister()

    def _wait(self, failures: int, wish: float | None) -> float:
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(failures - 1, 10))
        wait = longest * (0.5 + 0.5 * self._timing.chance())
        return wait if wish is None else max(wait, min(wish, _LONGEST_WISH))

    async def _pause(self, seconds: float, stop: asyncio.Event) -> None:
        tasks = [asyncio.ensure_future(self._timing.pause(seconds)), asyncio.ensure_future(stop.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    async def _register(self) -> float:
        answer = await _asked(self._http, "PUT", self._url(), json=self._profile.document(self._load()))
        if answer.status_code not in (200, 201):
            raise _refusal("registration", answer)
        self.registered = True
        return _heartbeat(answer, self._profile.heartbeat_seconds)

    async def _beat(self, before: float) -> float:
        changes = [
            {"op": "replace", "path": "/nfStatus", "value": "REGISTERED"},
            {"op": "replace", "path": "/load", "value": self._load()},
        ]
        answer = await _asked(
            self._http, "PATCH", self._url(), json=changes, headers={"content-type": _MERGE}
        )
        if answer.status_code not in (200, 204):
            raise _refusal("heart-beat", answer)
        return _heartbeat(answer, before)

    async def _deregister(self) -> None:
        with contextlib.suppress(NrfError, TimeoutError):
            await asyncio.wait_for(_asked(self._http, "DELETE", self._url()), _GOODBYE_SECONDS)
        self.registered = False

    def _url(self) -> str:
        return f"{self._roots[self._place]}/nnrf-nfm/v1/nf-instances/{self._profile.instance.lower()}"


async def access_token(http: httpx.AsyncClient, root: str, instance: str, nf_type: str) -> AccessToken:
    """A token with which an NF of that instance and type may ask EIRs.

    Args:
        http: from `nrf_http`.
        root: API root of the NRF.
        instance: NF instance identity of who is going to ask.
        nf_type: its type, like `AMF`.

    Raises:
        NrfError: the NRF gave none.

    Source: 3GPP TS 29.510 clause 5.4.2.2.
    """
    form = {
        "grant_type": "client_credentials",
        "nfInstanceId": instance,
        "nfType": nf_type,
        "targetNfType": NF_TYPE,
        "scope": SCOPE,
    }
    answer = await _asked(http, "POST", f"{root.rstrip('/')}/oauth2/token", data=form)
    if answer.status_code != 200:
        raise _refusal("access token", answer)
    document = _json_object(answer)
    text, seconds = document.get("access_token"), document.get("expires_in", 0)
    if not isinstance(text, str) or str(document.get("token_type")).lower() != "bearer":
        raise NrfError("The NRF's answer holds no bearer token.")
    return AccessToken(text, seconds if isinstance(seconds, int) else 0)


async def discover(http: httpx.AsyncClient, root: str, requester_nf_type: str) -> list[str]:
    """The API roots of the EIRs that a core finds, in the NRF's order.

    Args:
        http: from `nrf_http`.
        root: API root of the NRF.
        requester_nf_type: as what to ask; an EIR shows itself to the types it allows.

    Raises:
        NrfError: the NRF gave no answer that can be read.

    Source: 3GPP TS 29.510 clause 5.3.2.2.
    """
    query = {
        "target-nf-type": NF_TYPE,
        "requester-nf-type": requester_nf_type,
        "service-names": SCOPE,
    }
    answer = await _asked(http, "GET", f"{root.rstrip('/')}/nnrf-disc/v1/nf-instances", params=query)
    if answer.status_code != 200:
        raise _refusal("discovery", answer)
    found = _json_object(answer).get("nfInstances")
    instances = found if isinstance(found, list) else []
    return [api for nf in instances if isinstance(nf, dict) for api in equipment_check_roots(nf)]


async def _asked(http: httpx.AsyncClient, method: str, url: str, **content: Any) -> httpx.Response:
    try:
        async with http.stream(method, url, **content) as answer:
            body = b""
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > _LARGEST_ANSWER:
                    raise NrfError("The NRF's answer is larger than any sensible one.")
        return httpx.Response(answer.status_code, headers=_plain(answer.headers), content=body)
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        raise NrfError(f"The NRF cannot be reached: {type(problem).__name__}.") from problem


def _plain(headers: httpx.Headers) -> dict[str, str]:
    return {name: headers[name] for name in ("content-type", "retry-after") if name in headers}


def _refusal(what: str, answer: httpx.Response) -> NrfError:
    wish = answer.headers.get("retry-after", "")
    return NrfError(
        f"The NRF answered {answer.status_code} to the {what}.",
        retry_after=float(wish) if wish.isascii() and wish.isdigit() and len(wish) < 9 else None,
        forgotten=answer.status_code == 404,
    )


def _json_object(answer: httpx.Response) -> dict[str, object]:
    try:
        document = answer.json()
    except (ValueError, RecursionError):
        raise NrfError("The NRF's answer is not JSON.") from None
    if not isinstance(document, dict):
        raise NrfError("The NRF's answer is not a JSON object.")
    return document


def _heartbeat(answer: httpx.Response, otherwise: float) -> float:
    if not answer.content:
        return otherwise
    seconds = _json_object(answer).get("heartBeatTimer", otherwise)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return otherwise
    shortest, longest = _HEARTBEAT_BOUNDS
    return float(min(longest, max(shortest, seconds)))
