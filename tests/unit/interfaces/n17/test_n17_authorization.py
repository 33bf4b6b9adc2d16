import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from ceir.interfaces.n17.authorization import Authorizer, TokenTerms, UnusableKeyError, VerificationKey

INSTANCE = "54804518-4191-46b3-955c-ac631f953ed8"
NRF = "4947a69a-f61b-4bc1-b9da-47c9c5d14b64"
NOW = 1_800_000_000

EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())

CLAIMS: dict[str, Any] = {
    "iss": NRF,
    "sub": "9d1ad8bb-0a5e-4b4c-9b6d-0d2cbd2c1f0e",
    "aud": "5G_EIR",
    "scope": "namf-comm n5g-eir-eic",
    "exp": NOW + 100,
}


def pem(key: Any) -> bytes:
    encoded = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert isinstance(encoded, bytes)
    return encoded


def authorizer(now: list[float] | None = None, **terms: Any) -> Authorizer:
    keys = [VerificationKey.from_pem(pem(EC_KEY)), VerificationKey.from_pem(pem(RSA_KEY))]
    clock = now or [float(NOW)]
    return Authorizer(TokenTerms(keys, **({"instance": INSTANCE} | terms)), lambda: clock[0])


def token(key: Any = EC_KEY, algorithm: str = "ES256", **changes: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return "Bearer " + jwt.encode(claims, key, algorithm=algorithm)


def outcome(header: str | None, **terms: Any) -> tuple[int, str] | None:
    problem = authorizer(**terms).refusal(header)
    if problem is None:
        return None
    fields = dict(problem.headers)
    return problem.status, fields["www-authenticate"]


@pytest.mark.parametrize(
    "header",
    [
        token(),
        token(RSA_KEY, "RS256"),
        token(aud=[INSTANCE]),
        token(aud=["another", INSTANCE]),
        token(scope="n5g-eir-eic"),
        token(nbf=NOW),
        token(exp=NOW - 4),
        token().replace("Bearer", "bearer"),
    ],
)
def test_a_token_of_the_nrf_for_this_service_is_accepted(header: str) -> None:
    assert outcome(header, issuer=NRF) is None


@pytest.mark.parametrize(
    "header",
    [
        token(OTHER_KEY),
        token(exp=NOW - 5),
        token(exp=None),
        token(exp="9999999999"),
        token(nbf=NOW + 60),
        token(aud="AMF"),
        token(aud=["5G_EIR"]),
        token(aud=[]),
        token(aud=None),
        token(sub=None),
        token(iss="9d1ad8bb-0a5e-4b4c-9b6d-0d2cbd2c1f0e"),
        token(iss=None),
        token()[:-4] + "AAAA",
        "Bearer ",
        "Bearer x",
        "Bearer a.b.c",
        "Bearer " + "x" * 9000,
    ],
)
def test_any_other_token_is_called_invalid(header: str) -> None:
    told = outcome(header, issuer=NRF)
    assert told == (401, 'Bearer realm="n5g-eir-eic", error="invalid_token"')


def test_the_token_cannot_choose_how_it_is_checked() -> None:
    def part(document: object) -> str:
        return urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()

    unsigned = f"Bearer {part({'alg': 'none', 'typ': 'JWT'})}.{part(CLAIMS)}."
    assert outcome(unsigned) is not None
    signing = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(CLAIMS)}"
    for key in (pem(EC_KEY), pem(RSA_KEY)):
        mac = (
            urlsafe_b64encode(hmac.new(key, signing.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
        )
        assert outcome(f"Bearer {signing}.{mac}") is not None


@pytest.mark.parametrize("header", [None, "", "Basic dXNlcjpwYXNz", "bearer", "Token x"])
def test_without_a_token_the_challenge_names_no_error(header: str | None) -> None:
    told = outcome(header)
    assert told is not None
    assert told[0] == 401
    if header != "bearer":
        assert told[1] == 'Bearer realm="n5g-eir-eic"'


@pytest.mark.parametrize("scope", ["namf-comm", "n5g-eir-eicx", "", "N5G-EIR-EIC", ["n5g-eir-eic"]])
def test_a_token_for_other_services_is_not_enough(scope: object) -> None:
    assert outcome(token(scope=scope)) == (
        403,
        'Bearer realm="n5g-eir-eic", error="insufficient_scope", scope="n5g-eir-eic"',
    )


def test_a_remembered_token_ends_when_it_expires() -> None:
    clock = [float(NOW)]
    checked = authorizer(clock)
    header = token()
    assert checked.refusal(header) is None
    clock[0] += 104
    assert checked.refusal(header) is None
    clock[0] += 1
    assert checked.refusal(header) is not None


def test_only_strong_keys_of_known_kinds_are_taken() -> None:
    weak = [
        rsa.generate_private_key(65537, 1024),  # noqa: S505 - weak on purpose
        ec.generate_private_key(ec.SECP384R1()),
    ]
    for key in weak:
        with pytest.raises(UnusableKeyError):
            VerificationKey.from_pem(pem(key))
    with pytest.raises(UnusableKeyError):
        VerificationKey.from_pem(b"no key")
    with pytest.raises(UnusableKeyError):
        Authorizer(TokenTerms([]), lambda: 0.0)


@given(st.text() | st.text().map("Bearer ".__add__) | st.from_regex(r"Bearer [\w-]*\.[\w-]*\.[\w-]*"))
def test_any_header_is_refused_without_failing(header: str) -> None:
    assert authorizer().refusal(header) is not None


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5), st.data())
def test_a_rightly_signed_token_of_odd_claims_never_fails(value: object, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*sorted(CLAIMS), "nbf", "iat", "jti"]))
    payload = json.dumps(CLAIMS | {name: value}).encode()
    signed = jwt.api_jws.encode(payload, EC_KEY, algorithm="ES256")
    authorizer().refusal("Bearer " + signed)
