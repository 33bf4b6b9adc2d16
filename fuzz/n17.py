"""Throws hostile requests at the N17 application for as long as told.

    python fuzz/n17.py [--seconds 600] [--seed 1] [--corpus FOLDER] [--keep FOLDER]

An input is a query, and after line ends a path, an authorization field and a method. What must hold for
every one: there is an answer, and it is not 500; its body is what its status calls for and repeats nothing of
the request; the quick reading of a query agrees with the grammar; nobody gets in without a token that was
really signed; memory does not grow.
"""

import asyncio
import json
import random
import re
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from octets import BrokenPromiseError, Damage, Target, damaged, run

from ceir.equipment_check import Answer, Question, Values
from ceir.interfaces.n17.application import N17Application
from ceir.interfaces.n17.authorization import Authorizer, TokenTerms, VerificationKey
from ceir.interfaces.n17.codec import PATH, STATUS_WORDS, QueryRefusedError, common_values, parse_query
from vectors import BLOCKED_IMEI, TRACKED_IMEI, SetChecker

_NOW = 1_800_000_000
_KEY = ec.derive_private_key(17, ec.SECP256R1())
_STRANGER = ec.derive_private_key(18, ec.SECP256R1())
_CLAIMS = {"iss": "nrf", "sub": "amf", "aud": "5G_EIR", "scope": "n5g-eir-eic", "exp": _NOW + 100}


def _token(key: ec.EllipticCurvePrivateKey = _KEY, **changes: object) -> bytes:
    return b"Bearer " + jwt.encode({**_CLAIMS, **changes}, key, algorithm="ES256").encode()


_SIGNED = _token()
_FORGED = (
    _token(_STRANGER),
    _token(exp=_NOW - 100),
    _token(scope="namf-comm"),
    b"Bearer " + jwt.encode(_CLAIMS, None, algorithm="none").encode(),
    b"Bearer " + jwt.encode(_CLAIMS, "0123456789abcdef" * 4, algorithm="HS256").encode(),
)
_QUERIES = (
    b"pei=imei-%d0" % BLOCKED_IMEI,
    b"pei=imeisv-%d07&supi=imsi-001010123456789" % TRACKED_IMEI,
    b"supi=imsi-00101&pei=imei-%d" % BLOCKED_IMEI,
    b"pei=mac-00-11-22-33-44-55-untrusted&supi=nai-x%40example.org",
    b"pei=eui-0011223344556677&gpsi=msisdn-22123456789&supported-features=0F",
    b"pei=%69mei-352099001761500&gpsi=extid-a@b&supi=gci-1",
    b"pei=imei-352099001761500&pei=imei-352099001761500",
    b"pei=future-1&supi=suci-0&gpsi=other",
    b"pei=imei-&x=1&supi",
    b"",
)
SEEDS = [
    *_QUERIES,
    *(query + b"\n\n" + _SIGNED for query in _QUERIES[:3]),
    *(_QUERIES[0] + b"\n\n" + forged for forged in _FORGED),
    _QUERIES[0] + b"\n/n5g-eir-eic/v2/equipment-status\n\nPOST",
    _QUERIES[0] + b"\n/n5g-eir-eic/v1\n\nHEAD",
    _QUERIES[0] + b"\n/\n\nGET",
]
_WORDS = (
    *(b"&", b"=", b"%", b"%2", b"%00", b"%0a", b"%ff", b"%25", b"+", b"\n", b";", b"#", b"[]", b"\xff\xfe"),
    *(b"pei=", b"&supi=", b"&gpsi=", b"&supported-features=", b"imei-", b"imeisv-", b"mac-", b"eui-"),
    *(b"imsi-", b"msisdn-", b"extid-", b"nai-", b"suci-", b"-untrusted", "٣".encode(), "\u2028".encode()),
    *(b"Bearer ", b"bearer  ", b".", b"eyJhbGciOiJub25lIn0", b"e30", b"A" * 3000),
)
_IDENTITY = re.compile(rb"[0-9]{14}")
_STATUSES = {200, 400, 401, 403, 404, 405, 414}


class _Headers:
    def __init__(self, authorization: str | None) -> None:
        self._authorization = authorization

    def get(self, key: str, default: str | None = None) -> str | None:
        """The one field there is."""
        return self._authorization if key == "authorization" else default


class Request:
    """What the server library would hand over, and where the answer goes."""

    def __init__(self, octets: bytes) -> None:
        query, path, authorization, method = (octets.split(b"\n", 3) + [b""] * 3)[:4]
        self.query_string = query.decode("utf-8", "replace")
        self.path = path.decode("utf-8", "replace") or PATH
        self.method = method.decode("latin-1") or "GET"
        self.headers = _Headers(authorization.decode("latin-1") if authorization else None)
        self.answers: list[tuple[int, list[tuple[str, str]], bytes]] = []

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Takes the answer."""
        self.answers.append((status, headers, body))


class Thrower:
    """One application that anybody may ask, and one that wants a token."""

    def __init__(self) -> None:
        self._told: list[tuple[Answer, Values]] = []
        key = VerificationKey(_KEY.public_key(), "ES256")
        self._open = N17Application(SetChecker(), observe=self._observe)
        self._guarded = N17Application(
            SetChecker(),
            observe=self._observe,
            authorizer=Authorizer(TokenTerms([key]), lambda: float(_NOW)),
            instance="54804518-4191-46b3-955c-ac631f953ed8",
            api_prefix="",
        )
        self._loop = asyncio.new_event_loop()

    def __call__(self, octets: bytes) -> None:
        """Raises only when there is a mistake in the application."""
        status = self._ask(self._open, octets)
        guarded = self._ask(self._guarded, octets)
        request = Request(octets)
        if (self._told or (guarded == 400 and request.path == PATH)) and not _is_signed(
            request.headers.get("authorization")
        ):
            raise BrokenPromiseError("somebody got in without a token")
        if guarded not in (401, 403) and guarded != status:
            raise BrokenPromiseError("with a token the answer is another")
        _compare(request.query_string)

    def _ask(self, application: N17Application, octets: bytes) -> int:
        self._told.clear()
        request = Request(octets)
        # Nothing in it waits, so it is over at the first step.
        try:
            application.__rsgi__(request, request).send(None)
        except StopIteration:
            pass
        else:
            raise BrokenPromiseError("the application waits for something")
        if len(request.answers) != 1:
            raise BrokenPromiseError(f"{len(request.answers)} answers")
        status, headers, body = request.answers[0]
        _look_at(status, headers, body)
        if len(self._told) != (status == 200 or b"ERROR_EQUIPMENT_UNKNOWN" in body):
            raise BrokenPromiseError("an answer was not told, or what is none was")
        if status == 200 and json.loads(body) != {"status": STATUS_WORDS[self._told[0][0].status]}:
            raise BrokenPromiseError("another status is answered than was decided")
        return status

    def _observe(self, answer: Answer, seconds: float, question: Values) -> None:  # noqa: ARG002
        imei, _, imsi = question
        if imei is not None and not 0 <= imei < 10**14:
            raise BrokenPromiseError("an IMEI out of range")
        if imsi is not None and not 10**5 <= imsi < 2 * 10**15:
            raise BrokenPromiseError("an IMSI out of range")
        self._told.append((answer, question))


def _look_at(status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    if status not in _STATUSES:
        raise BrokenPromiseError(f"status {status}")
    document = json.loads(body)
    kind = dict(headers)["content-type"]
    if kind != ("application/json" if status == 200 else "application/problem+json"):
        raise BrokenPromiseError(f"content type {kind}")
    if status != 200 and document["status"] != status:
        raise BrokenPromiseError("the problem has another status")
    if _IDENTITY.search(body):
        raise BrokenPromiseError("an answer repeats an identity")
    for name, value in headers:
        if not f"{name}{value}".isascii() or not f"{name}{value}".isprintable():
            raise BrokenPromiseError("a header field cannot be sent")


def _is_signed(authorization: str | None) -> bool:
    """Whether what was signed is whole; the signature itself can be written in several ways."""
    if authorization is None:
        return False
    scheme, _, token = authorization.partition(" ")
    signed = _SIGNED.decode().split(" ")[1].split(".")
    return scheme.lower() == "bearer" and token.strip(" ").split(".")[:2] == signed[:2]


def _compare(query: str) -> None:
    values = common_values(query)
    if values is None:
        return
    try:
        slow = parse_query(query).question
    except QueryRefusedError as error:
        raise BrokenPromiseError(f"the quick reading takes what is refused: {error}") from error
    if slow != Question(*values):
        raise BrokenPromiseError("the two readings differ")


def damage(draw: random.Random, seeds: Sequence[bytes]) -> bytes:
    """A request that is not as it was."""
    return damaged(draw, seeds, _WORDS)


def harness() -> tuple[Target, list[bytes], Damage]:
    """What is thrown at what."""
    return Thrower(), SEEDS, damage


if __name__ == "__main__":
    sys.exit(run(__doc__ or "", *harness()))
