"""An EIR at an NRF: found, forgotten, found again, gone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fake_nrf import FakeNrf
from n17_queries import PATH
from n17_starting import Serve, free_port

from ceir.interfaces.n17.nrf import NrfRegistration, Timing, access_token, discover, nrf_http
from ceir.interfaces.n17.profile import EirProfile
from ceir.interfaces.serving.http import HttpLimits, HttpVersions, Listen, serve_rsgi
from vectors import BLOCKED_IMEI

INSTANCE = "54804518-4191-46b3-955c-ac631f953ed8"
AMF = "9d1ad8bb-0a5e-4b4c-9b6d-0d2cbd2c1f0e"
TIMING = Timing(lambda seconds: asyncio.sleep(seconds / 10), lambda: 0.5)


def profile(port: int = 7777, **changes: object) -> EirProfile:
    return EirProfile(INSTANCE, "127.0.0.1", port, (("001", "01"),), **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def nrf_on(port: int, nrf: FakeNrf) -> AsyncIterator[str]:
    stop = asyncio.Event()
    listen = Listen("127.0.0.1", port, versions=HttpVersions.ONLY_2)
    serving = asyncio.ensure_future(serve_rsgi(nrf, listen, HttpLimits(), stop))
    for _ in range(100):
        await asyncio.sleep(0.05)
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            continue
        writer.close()
        break
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        await serving


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def registering(registration: NrfRegistration) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.ensure_future(registration.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


def running(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await test()

    asyncio.run(bounded())


def test_an_eir_registers_beats_and_takes_its_leave() -> None:
    async def test() -> None:
        nrf = FakeNrf()
        async with nrf_on(free_port(), nrf) as root, nrf_http() as http:
            registration = NrfRegistration(http, [root], profile(), TIMING, load=lambda: 42)
            async with registering(registration):
                await until(lambda: nrf.calls.count("PATCH 204 HTTP/2") >= 2)
                assert registration.registered
                assert nrf.instances[INSTANCE]["load"] == 42
                assert nrf.instances[INSTANCE]["nfServices"][0]["serviceName"] == "n5g-eir-eic"
            assert nrf.instances == {}
        assert nrf.calls[0] == "PUT 201 HTTP/2"
        assert nrf.calls[-1] == "DELETE 204 HTTP/2"

    running(test)


def test_an_nrf_that_forgot_the_eir_is_told_again_at_once() -> None:
    async def test() -> None:
        nrf = FakeNrf()
        async with (
            nrf_on(free_port(), nrf) as root,
            nrf_http() as http,
            registering(NrfRegistration(http, [root], profile(), TIMING)),
        ):
            await until(lambda: INSTANCE in nrf.instances)
            nrf.instances.clear()
            await until(lambda: INSTANCE in nrf.instances)
        place = nrf.calls.index("PATCH 404 HTTP/2")
        assert nrf.calls[place + 1] == "PUT 201 HTTP/2"

    running(test)


def test_a_registration_outlives_a_restart_of_the_nrf() -> None:
    async def test() -> None:
        port = free_port()
        async with nrf_http() as http:
            registration = NrfRegistration(http, [f"http://127.0.0.1:{port}"], profile(), TIMING)
            async with registering(registration):
                async with nrf_on(port, first := FakeNrf()):
                    await until(lambda: INSTANCE in first.instances)
                await until(lambda: not registration.registered)
                async with nrf_on(port, second := FakeNrf()):
                    await until(lambda: INSTANCE in second.instances)
                    await until(lambda: registration.registered)

    running(test)


def test_a_failing_nrf_is_left_for_the_next_one() -> None:
    async def test() -> None:
        bad, good = FakeNrf(), FakeNrf()
        bad.failing = 503
        async with (
            nrf_on(free_port(), bad) as bad_root,
            nrf_on(free_port(), good) as good_root,
            nrf_http() as http,
            registering(NrfRegistration(http, [bad_root, good_root], profile(), TIMING)),
        ):
            await until(lambda: INSTANCE in good.instances)
        assert bad.calls == ["PUT 503 HTTP/2"]

    running(test)


def test_an_amf_discovers_the_eir_gets_a_token_and_is_answered(serve: Serve, tmp_path: Path) -> None:
    async def test() -> None:
        nrf = FakeNrf()
        key = tmp_path / "nrf.pem"
        key.write_bytes(nrf.public_key)
        served = serve("--token-key", key)
        described = profile(served.port, token_required=True)
        async with (
            nrf_on(free_port(), nrf) as root,
            nrf_http() as http,
            registering(NrfRegistration(http, [root], described, TIMING)),
        ):
            await until(lambda: INSTANCE in nrf.instances)
            assert await discover(http, root, "SMF") == []
            (api_root,) = await discover(http, root, "AMF")
            url = f"{api_root}{PATH}?pei=imei-{BLOCKED_IMEI}0"
            refused = await http.get(url)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Bearer ")
            token = await access_token(http, root, AMF, "AMF")
            answer = await http.get(url, headers={"authorization": f"Bearer {token.text}"})
            assert (answer.status_code, answer.json()) == (200, {"status": "BLACKLISTED"})
            assert answer.http_version == "HTTP/2"
            again = await http.get(url, headers={"authorization": f"Bearer {token.text}x"})
            assert again.status_code == 401
            assert 'error="invalid_token"' in again.headers["www-authenticate"]

    running(test)
