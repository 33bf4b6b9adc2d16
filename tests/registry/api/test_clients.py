"""Programs with credentials: what ends, ends at once; secrets and certificates change without a break."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.test import Client as Http
from django.test import override_settings
from django.utils import timezone
from people import NOW, account, actor, agreed, credentials, second

from ceir.api.certificates import thumbprint
from ceir.registry.accounts.clients import (
    LONGEST_OVERLAP,
    ClientRefusedError,
    bind_to_certificates,
    client_of,
    hand_out,
    propose_in_use,
    propose_secret,
    put_out_of_use,
    set_scopes,
)
from ceir.registry.accounts.models import Client
from ceir.registry.accounts.permissions import Permission, PermissionDeniedError
from ceir.registry.actors import Role
from ceir.registry.audit.models import Entry
from ceir.registry.organisations.models import Organisation

SECRET = "correct horse battery staple, and more of it"
NEXT = "another correct horse, other staples, and more"
HEADER = "X-Client-Cert"


def program(role: Role = Role.AUDITOR, *scopes: Permission) -> Client:
    return credentials(
        account(role).organisation,
        "a program",
        role,
        scopes or (Permission.AUDIT_READ, Permission.STATUS_READ),
        identifier="program",
        secret=SECRET,
        responsible=account(role),
    )


def rotate(made: Client, secret: str, overlap: timedelta, at: datetime = NOW) -> None:
    """Two people give a program a new secret."""
    middle = len(secret) // 2
    propose_secret(made.pk, half=secret[:middle], overlap=overlap, reason="x", actor=admin(), at=at)
    agreed(made.actor.id)
    hand_out(made.pk, half=secret[middle:], actor=second(), at=at)


def bind(made: Client, *thumbprints: str) -> None:
    """Bind a program to certificates; by two people where it takes two."""
    bind_to_certificates(made.pk, thumbprints, reason="x", actor=admin(), at=NOW)
    agreed(made.actor.id)


def admin() -> Any:
    return actor(Role.ADMINISTRATOR)


def ask(secret: str = SECRET, **headers: str) -> Any:
    form = {"grant_type": "client_credentials", "client_id": "program", "client_secret": secret}
    return Http().post("/api/v1/token", form, headers=headers)


def bearer(secret: str = SECRET, **headers: str) -> str:
    answer = ask(secret, **headers)
    assert answer.status_code == 200, answer.content
    text: str = answer.json()["access_token"]
    return text


def read(token: str, **headers: str) -> int:
    answer = Http().get("/api/v1/record", headers={"Authorization": f"Bearer {token}", **headers})
    return int(answer.status_code)


def certificate(name: str) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )


def told(of: x509.Certificate) -> dict[str, str]:
    return {HEADER: quote(of.public_bytes(Encoding.PEM).decode())}


def thumb(of: x509.Certificate) -> str:
    return thumbprint(of.public_bytes(Encoding.DER))


# --- what ends, ends at once


def test_a_program_put_out_of_use_is_refused_with_the_token_it_has() -> None:
    made = program()
    token = bearer()
    assert read(token) == 200
    put_out_of_use(made.pk, reason="stolen laptop", actor=admin(), at=NOW)
    assert read(token) == 401
    assert ask().status_code == 401
    propose_in_use(made.pk, reason="found", actor=admin(), at=NOW)
    assert read(token) == 401
    agreed(made.actor.id)
    assert read(token) == 200


def test_an_organisation_put_out_of_use_takes_its_programs_along() -> None:
    made = program()
    token = bearer()
    organisation = Organisation.objects.get(pk=made.organisation_id)
    organisation.active = False
    organisation.save()
    assert read(token) == 401
    assert ask().status_code == 401


def test_a_scope_taken_away_is_gone_from_the_token_too() -> None:
    made = program()
    token = bearer()
    set_scopes(made.pk, [Permission.STATUS_READ], reason="x", actor=admin(), at=NOW)
    assert read(token) == 403
    set_scopes(made.pk, [Permission.AUDIT_READ], reason="x", actor=admin(), at=NOW)
    assert read(token) == 403, "what comes to it waits for a second person"
    agreed(made.actor.id)
    assert read(token) == 200


def test_a_role_that_changed_ends_the_tokens_of_the_role_before() -> None:
    made = program()
    token = bearer()
    made.role = Role.OFFICER.value
    made.save()
    assert read(token) == 401


def test_a_token_for_nobody_or_for_a_person_is_none() -> None:
    made = program()
    claims = jwt.decode(bearer(), options={"verify_signature": False})
    for subject in ("client:999999", "client:x", "account:1", "system", f"client:{made.pk} "):
        text = jwt.encode({**claims, "sub": subject}, settings.SECRET_KEY, algorithm="HS256")
        assert read(text) == 401, subject
    assert read(jwt.encode(claims, "another secret of 32 characters ..", algorithm="HS256")) == 401
    assert read(jwt.encode(claims, None, algorithm="none")) == 401  # type: ignore[arg-type]


# --- secrets


def test_an_old_secret_goes_on_beside_the_new_one_until_its_time_is_over() -> None:
    made = program()
    now = timezone.now()
    rotate(made, NEXT, timedelta(days=2), now)
    assert ask(SECRET).status_code == ask(NEXT).status_code == 200
    with pytest.raises(ClientRefusedError):
        client_of("program", SECRET, now + timedelta(days=2))
    assert client_of("program", NEXT, now + timedelta(days=2)).pk == made.pk


def test_without_an_overlap_the_old_secret_ends_at_once() -> None:
    made = program()
    rotate(made, NEXT, timedelta(0))
    assert (ask(SECRET).status_code, ask(NEXT).status_code) == (401, 200)


def test_rotating_twice_leaves_two_secrets_and_not_three() -> None:
    made = program()
    third = "the third correct horse, and staples of it"
    for secret in (NEXT, third):
        rotate(made, secret, timedelta(days=1), timezone.now())
    assert [ask(secret).status_code for secret in (SECRET, NEXT, third)] == [401, 200, 200]


@pytest.mark.parametrize("overlap", [-timedelta(seconds=1), LONGEST_OVERLAP + timedelta(seconds=1)])
def test_an_overlap_that_is_none_or_never_ends_is_refused(overlap: timedelta) -> None:
    with pytest.raises(ClientRefusedError):
        rotate(program(), NEXT, overlap)


@pytest.mark.parametrize("secret", ["short", "x" * 201, ""])
def test_secrets_that_are_guessed_or_take_long_to_hash_are_not_taken(secret: str) -> None:
    made = program()
    with pytest.raises(ClientRefusedError):
        rotate(made, secret, timedelta(0))
    assert ask("x" * 1_000_000).status_code in (400, 401, 413)
    assert ask("a\0b").status_code == 401


def test_nobody_but_an_administrator_changes_programs_and_all_of_it_is_recorded() -> None:
    made = program()
    officer = actor(Role.OFFICER)
    for attempt in (
        lambda: propose_secret(made.pk, half=NEXT, overlap=timedelta(0), reason="x", actor=officer, at=NOW),
        lambda: hand_out(made.pk, half=NEXT, actor=officer, at=NOW),
        lambda: set_scopes(made.pk, [], reason="x", actor=officer, at=NOW),
        lambda: bind_to_certificates(made.pk, [], reason="x", actor=officer, at=NOW),
        lambda: put_out_of_use(made.pk, reason="x", actor=officer, at=NOW),
        lambda: propose_in_use(made.pk, reason="x", actor=officer, at=NOW),
    ):
        with pytest.raises(PermissionDeniedError):
            attempt()
    rotate(made, NEXT, timedelta(0))
    told_of = list(Entry.objects.filter(subject=f"client:{made.pk}").values_list("action", flat=True))
    begun = ["client.made", "client.enabled", "client.rotated"]
    assert told_of == [*begun, "client.secret_agreed", "client.rotated"]
    assert not Entry.objects.filter(detail__contains=NEXT[:20]).exists()


# --- certificates


def test_a_program_with_a_certificate_comes_with_it_or_not_at_all() -> None:
    made = program()
    ours, others = certificate("ours"), certificate("others")
    bind(made, thumb(ours))
    with override_settings(CEIR_CERTIFICATE_HEADER=HEADER):
        assert ask().status_code == 401
        assert ask(**told(others)).status_code == 401
        token = bearer(**told(ours))
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["cnf"] == {"x5t#S256": thumb(ours)}
        assert read(token, **told(ours)) == 200
        assert read(token) == 401
        assert read(token, **told(others)) == 401


def test_a_stolen_token_is_worth_nothing_with_another_certificate_of_the_same_program() -> None:
    made = program()
    old, new = certificate("old"), certificate("new")
    bind(made, thumb(old), thumb(new))
    with override_settings(CEIR_CERTIFICATE_HEADER=HEADER):
        token = bearer(**told(old))
        assert read(token, **told(new)) == 401
        assert read(token, **told(old)) == 200
        bind(made, thumb(new))
        assert read(token, **told(old)) == 401
        assert read(bearer(**told(new)), **told(new)) == 200


def test_a_token_from_before_the_certificate_is_not_good_any_more() -> None:
    made = program()
    ours = certificate("ours")
    with override_settings(CEIR_CERTIFICATE_HEADER=HEADER):
        token = bearer()
        bind(made, thumb(ours))
        assert read(token, **told(ours)) == 401
        bound = bearer(**told(ours))
        bind(made)
        assert read(bound) == 401


def test_a_header_that_the_installer_did_not_name_is_not_believed() -> None:
    made = program()
    ours = certificate("ours")
    bind(made, thumb(ours))
    assert ask(**told(ours)).status_code == 401
    with override_settings(CEIR_CERTIFICATE_HEADER="Client-Cert"):
        assert ask(**told(ours)).status_code == 401
        der = base64.b64encode(ours.public_bytes(Encoding.DER)).decode()
        assert ask(**{"Client-Cert": f":{der}:"}).status_code == 200


@pytest.mark.parametrize("value", ["nonsense", ":AAAA:", "::", ":", "%00", "x" * 20_000, "-----BEGIN%20CERT"])
def test_a_header_that_holds_no_certificate_is_refused_with_a_hint(value: str) -> None:
    program()
    with override_settings(CEIR_CERTIFICATE_HEADER=HEADER):
        answer = ask(**{HEADER: value})
    assert answer.status_code == 400
    assert answer.json()["code"] == "client_certificate_refused"
    assert answer.json()["hint"]


def test_what_is_no_thumbprint_is_refused() -> None:
    made = program()
    for wrong in (
        ["short"],
        ["!" * 43],
        [thumb(certificate("x"))[:42] + "="],
        ["A" * 42 + str(n) for n in range(6)],
    ):
        with pytest.raises(ClientRefusedError):
            bind(made, *wrong)
