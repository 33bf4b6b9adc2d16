import asyncio
import json
from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceir.interfaces.n17.nrf import NrfError, NrfRegistration, Timing, access_token, discover
from ceir.interfaces.n17.profile import EirProfile, InvalidProfileError, equipment_check_roots

INSTANCE = "54804518-4191-46b3-955c-ac631f953ed8"
PROFILE = EirProfile(INSTANCE, "10.0.0.7", 8080, (("001", "01"),))


def test_the_profile_says_where_and_for_whom_the_service_is() -> None:
    document = PROFILE.document(load=7)
    assert document["nfType"] == "5G_EIR"
    assert document["nfStatus"] == "REGISTERED"
    assert document["load"] == 7
    assert document["plmnList"] == [{"mcc": "001", "mnc": "01"}]
    assert document["allowedNfTypes"] == ["AMF"]
    assert equipment_check_roots(document) == ["http://10.0.0.7:8080"]


@pytest.mark.parametrize(
    ("address", "secure", "prefix", "root"),
    [
        ("eir.example.org", True, "/eir", "https://eir.example.org:8080/eir"),
        ("2001:db8::7", False, "", "http://[2001:db8::7]:8080"),
    ],
)
def test_a_consumer_reads_the_address_that_was_meant(
    address: str, secure: bool, prefix: str, root: str
) -> None:
    profile = EirProfile(INSTANCE, address, 8080, (), secure=secure, api_prefix=prefix)
    assert equipment_check_roots(profile.document()) == [root]


@pytest.mark.parametrize(
    "build",
    [
        lambda: EirProfile("eir-1", "10.0.0.7", 8080, ()),
        lambda: EirProfile(INSTANCE, "10.0.0.7", 0, ()),
        lambda: EirProfile(INSTANCE, "", 8080, ()),
        lambda: EirProfile(INSTANCE, "10.0.0.7", 8080, (("1", "01"),)),
    ],
)
def test_a_profile_that_no_nrf_would_take_cannot_be_made(build: Callable[[], EirProfile]) -> None:
    with pytest.raises(InvalidProfileError):
        build()


def talk(answers: list[httpx.Response | Exception], chance: float = 0.5) -> tuple[list[str], list[float]]:
    """The requests made and the pauses taken until the answers run out."""
    asked: list[str] = []
    paused: list[float] = []

    async def conversation() -> None:
        stop = asyncio.Event()

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(f"{request.method} {request.url.host}")
            if not answers:
                stop.set()
                return httpx.Response(204)
            one = answers.pop(0)
            if isinstance(one, Exception):
                raise one
            return one

        async def pause(seconds: float) -> None:
            paused.append(seconds)

        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            registration = NrfRegistration(
                http, ["http://nrf-1/", "http://nrf-2"], PROFILE, Timing(pause, lambda: chance)
            )
            await asyncio.wait_for(registration.run(stop), 10)

    asyncio.run(conversation())
    return asked, paused


def registered(seconds: object = 20) -> httpx.Response:
    return httpx.Response(201, json=PROFILE.document() | {"heartBeatTimer": seconds})


def test_the_nrf_decides_how_often_to_beat() -> None:
    asked, paused = talk(
        [registered(20), httpx.Response(204), httpx.Response(200, json={"heartBeatTimer": 40})]
    )
    assert asked[:3] == ["PUT nrf-1", "PATCH nrf-1", "PATCH nrf-1"]
    assert paused[:3] == pytest.approx([17, 17, 34])


@pytest.mark.parametrize(("told", "pause"), [(0, 0.85), (10**9, 3060), (True, 8.5), ("x", 8.5), (None, 8.5)])
def test_a_beat_out_of_reason_is_brought_back_to_reason(told: object, pause: float) -> None:
    assert talk([registered(told)])[1][0] == pytest.approx(pause)


def test_pauses_double_with_chance_and_heed_what_the_nrf_asks() -> None:
    refused = [
        httpx.Response(503),
        httpx.ConnectError("no"),
        httpx.Response(429, headers={"retry-after": "9"}),
    ]
    asked, paused = talk([*refused, httpx.Response(500), registered()])
    assert asked[:5] == ["PUT nrf-1", "PUT nrf-2", "PUT nrf-1", "PUT nrf-2", "PUT nrf-1"]
    assert paused[:4] == pytest.approx([0.75, 1.5, 9, 6])


def test_many_failures_pause_no_longer_than_a_minute() -> None:
    _, paused = talk([httpx.Response(500) for _ in range(40)], chance=0.999)
    assert max(paused) <= 60


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(201, content=b"{"),
        httpx.Response(201, content=b"[]"),
        httpx.Response(201, content=b"[" * 100_000),
        httpx.Response(201, content=b"x" * 1_000_001),
        httpx.Response(301),
        httpx.ReadTimeout("late"),
    ],
)
def test_an_nrf_that_answers_nonsense_is_asked_again(answer: httpx.Response | Exception) -> None:
    asked, _ = talk([answer, registered()])
    assert asked[0].startswith("PUT")


def one_answer(answer: httpx.Response) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(400, json={"error": "invalid_client"}),
        httpx.Response(200, json={"token_type": "Bearer"}),
        httpx.Response(200, json={"access_token": "x", "token_type": "mac"}),
    ],
)
def test_no_token_is_an_error(answer: httpx.Response) -> None:
    with pytest.raises(NrfError):
        asyncio.run(access_token(one_answer(answer), "http://nrf", INSTANCE, "AMF"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["nfServices", "nfServiceList", "serviceName", "ipEndPoints", "fqdn", "port", "a"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_an_nrf_discovers_is_read_without_failing(found: object) -> None:
    answer = httpx.Response(200, content=json.dumps({"nfInstances": found}).encode())
    asyncio.run(discover(one_answer(answer), "http://nrf", "AMF"))


@given(JSON)
def test_whatever_a_service_looks_like_its_roots_are_read_without_failing(inner: object) -> None:
    service = {"serviceName": "n5g-eir-eic", "ipEndPoints": inner, "fqdn": inner}
    for root in equipment_check_roots({"nfServices": [service], "ipv4Addresses": inner}):
        assert root.startswith("http://")
