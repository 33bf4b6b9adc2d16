"""A call asks the database for no more than it needs, and what is remembered for that weakens nothing."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from calling import bearer, call, program
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from people import NOW, actor, agreed, second

from ceir.api import known_callers, tokens
from ceir.registry.accounts.clients import hand_out, propose_secret, put_out_of_use
from ceir.registry.accounts.models import Client
from ceir.registry.actors import Role
from ceir.registry.calls import allowing
from ceir.registry.organisations.models import Organisation

STATUS = "status/35674108000001"
NEXT = "the next correct horse, and its staple, quite long"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    allowing.forget_leases()
    yield
    allowing.forget_leases()


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement that goes to the database, by Django's cursors or our own."""
    # However slow the machine is: neither seconds nor the minute of an allowance pass.
    monkeypatch.setattr(known_callers, "KEPT", 3600.0)
    monkeypatch.setattr(allowing, "WINDOW", 10**12)
    made: list[str] = []
    if connection.vendor == "postgresql":
        import psycopg

        sent = psycopg.Cursor.execute

        def noted(self: Any, query: Any, *more: Any, **named: Any) -> Any:
            made.append(str(query))
            return sent(self, query, *more, **named)

        monkeypatch.setattr(psycopg.Cursor, "execute", noted)
        yield made
    else:
        with CaptureQueriesContext(connection) as captured:
            yield _Told(captured)  # type: ignore[misc]


class _Told:
    def __init__(self, captured: CaptureQueriesContext) -> None:
        self.captured, self.from_here = captured, 0

    def clear(self) -> None:
        self.from_here = len(self.captured.captured_queries)

    def __len__(self) -> int:
        return len(self.captured.captured_queries) - self.from_here


def test_a_status_of_a_known_caller_is_one_statement(statements: list[str]) -> None:
    token = bearer(Role.OPERATOR)
    assert call("GET", STATUS, token).status_code == 200
    statements.clear()
    assert call("GET", STATUS, token).status_code == 200
    assert len(statements) == 1, statements


def test_a_status_of_an_unknown_caller_is_four_statements_at_most(statements: list[str]) -> None:
    token = bearer(Role.OPERATOR)
    statements.clear()
    assert call("GET", STATUS, token).status_code == 200
    # The client, its own allowance, a lease of the allowance, the status.
    assert len(statements) <= 4, statements


def test_a_batch_of_a_thousand_is_one_statement(statements: list[str]) -> None:
    token = bearer(Role.OPERATOR)
    assert call("GET", STATUS, token).status_code == 200
    body = {"imeis": [f"35674108{n:06}" for n in range(1000)]}
    statements.clear()
    assert call("POST", "status/batch", token, body).status_code == 200
    assert len(statements) == 1, statements


def test_a_cookie_makes_no_call_look_for_a_session(statements: list[str]) -> None:
    token = bearer(Role.OPERATOR)
    call("GET", STATUS, token)
    statements.clear()
    answer = call("GET", STATUS, token, Cookie=f"{settings.SESSION_COOKIE_NAME}=stolen; csrftoken=x")
    assert (answer.status_code, len(statements)) == (200, 1)
    assert not answer.cookies


def test_a_call_passes_what_guards_every_answer() -> None:
    answer = call("GET", STATUS, bearer(Role.OPERATOR))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Content-Length"] == str(len(answer.content))


def test_a_call_to_a_name_that_is_not_the_registers_is_refused() -> None:
    refused = call("GET", STATUS, bearer(Role.OPERATOR), Host="elsewhere.example")
    assert (refused.status_code, refused.json()["code"]) == (400, "request_malformed")


# --- what is remembered of tokens


def rotate(made: Client, overlap: timedelta, at: datetime) -> None:
    """Two people give a program a new secret."""
    administrator = actor(Role.ADMINISTRATOR)
    propose_secret(made.pk, half=NEXT[:25], overlap=overlap, reason="x", actor=administrator, at=at)
    agreed(made.actor.id)
    hand_out(made.pk, half=NEXT[25:], actor=second(), at=at)


def asks(token: str) -> int:
    return int(call("GET", STATUS, token).status_code)


def test_what_ends_a_program_counts_at_once_here() -> None:
    made, token = program(Role.OPERATOR), bearer(Role.OPERATOR)
    assert asks(token) == 200
    put_out_of_use(made.pk, reason="lost", actor=actor(Role.ADMINISTRATOR), at=NOW)
    assert asks(token) == 401
    again = Client.objects.get(pk=made.pk)
    again.active = True
    again.save()
    assert asks(token) == 200
    owner = Organisation.objects.get(pk=made.organisation_id)
    owner.active = False
    owner.save()
    assert asks(token) == 401


def test_what_another_process_ended_counts_after_five_seconds() -> None:
    made, token, now = program(Role.OPERATOR), bearer(Role.OPERATOR), timezone.now()
    assert tokens.read(token, at=now) is not None
    Client.objects.filter(pk=made.pk).update(active=False)  # no signal: as if elsewhere
    assert tokens.read(token, at=now + timedelta(seconds=4)) is not None
    assert known_callers.KEPT == 5
    assert tokens.read(token, at=now + timedelta(seconds=5)) is None


def test_a_token_that_is_over_is_not_known_any_more() -> None:
    made, now = program(Role.OPERATOR), timezone.now()
    token = tokens.issue(made, [], now - tokens.LIFETIME + timedelta(seconds=3))[0]
    assert tokens.read(token, at=now) is not None
    assert tokens.read(token, at=now + timedelta(seconds=4)) is None


def test_a_clock_that_goes_back_lets_tokens_be_looked_up_anew() -> None:
    made, token, now = program(Role.OPERATOR), bearer(Role.OPERATOR), timezone.now()
    assert tokens.read(token, at=now) is not None
    Client.objects.filter(pk=made.pk).update(active=False)
    assert tokens.read(token, at=now - timedelta(seconds=60)) is None


def test_what_changed_while_it_was_looked_up_is_not_kept() -> None:
    made, token, now = program(Role.OPERATOR), bearer(Role.OPERATOR), timezone.now()
    asked_in = known_callers.generation()
    known_callers.forget()  # as when an administrator's change comes in between
    stale = known_callers.Known(made.actor, frozenset(), now.timestamp() + 900)
    known_callers.keep(token, None, stale, asked_in, now.timestamp())
    assert known_callers.look_up(token, None, now.timestamp()) is None


def test_a_token_is_known_only_with_the_certificate_that_it_came_with() -> None:
    made, token, now = program(Role.OPERATOR), bearer(Role.OPERATOR), timezone.now().timestamp()
    known_callers.keep(
        token,
        "thumb",
        known_callers.Known(made.actor, frozenset(), now + 900),
        known_callers.generation(),
        now,
    )
    assert known_callers.look_up(token, "thumb", now) is not None
    assert known_callers.look_up(token, None, now) is None
    assert known_callers.look_up(token, "other", now) is None


def test_a_secret_that_is_replaced_takes_its_tokens_along() -> None:
    made, token = program(Role.OPERATOR), bearer(Role.OPERATOR)
    assert asks(token) == 200
    rotate(made, timedelta(0), timezone.now())
    assert asks(token) == 401
    assert asks(bearer(Role.OPERATOR)) == 200


def test_a_secret_that_goes_on_for_a_while_keeps_its_tokens_for_that_while() -> None:
    made, token = program(Role.OPERATOR), bearer(Role.OPERATOR)
    now = timezone.now()
    rotate(made, timedelta(minutes=5), now)
    assert tokens.read(token, at=now + timedelta(minutes=4)) is not None
    assert tokens.read(token, at=now + timedelta(minutes=6)) is None


@pytest.mark.skipif("CEIR_TEST_DATABASE" not in os.environ, reason="only PostgreSQL cuts connections")
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_cut_is_made_anew() -> None:
    import psycopg

    token = bearer(Role.OPERATOR)
    assert asks(token) == 200
    pid = connection.connection.info.backend_pid
    info = connection.get_connection_params()
    with psycopg.connect(
        **{name: info[name] for name in ("dbname", "user", "host") if name in info}, autocommit=True
    ) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (pid,))
    connection.close_if_unusable_or_obsolete()  # as at the end of a request, and after a pause:
    connection._served_at = 0.0
    assert asks(token) == 200
