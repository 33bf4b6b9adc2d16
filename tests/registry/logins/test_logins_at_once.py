"""Several who come in at the same moment, on PostgreSQL."""

import pytest
from at_once import at_once, need_postgresql
from django.utils import timezone
from drawn import counted_draw
from logging_in import SECRET, person, totp
from world import LOOSE

from ceir.identifiers import Msisdn
from ceir.registry.accounts.models import Account
from ceir.registry.actors import Role
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import issue
from ceir.registry.logins import limiting, numbers, second_factor
from ceir.registry.logins.models import Failures, Holder

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_code_of_the_second_factor_is_taken_once_by_many_at_once() -> None:
    need_postgresql()
    who = person(Role.OFFICER)
    code, now = totp(SECRET), timezone.now()
    came_to = at_once(*(lambda: second_factor.check(who, code, at=now) for _ in range(6)))
    refused = [one for one in came_to if isinstance(one, second_factor.SecondFactorError)]
    assert len(refused) == 5


def test_attempts_at_once_are_no_more_than_one_after_another() -> None:
    need_postgresql()
    now = timezone.now()
    came_to = at_once(*(lambda: limiting.take({"factor": "7"}, now) for _ in range(12)))
    assert len([one for one in came_to if isinstance(one, limiting.Taken)]) == 5
    assert len([one for one in came_to if isinstance(one, limiting.TooManyFailuresError)]) == 7
    assert max(Failures.objects.values_list("count", flat=True)) == 5


def test_two_who_prove_a_new_number_at_once_come_in_as_the_same() -> None:
    need_postgresql()
    number, now = Msisdn("2203000001"), timezone.now()
    visitors = [numbers.visitor(f"visitor-{n}") for n in range(3)]
    texts = [
        issue(Purpose.LOGIN, number, draw=counted_draw(), actor=one, at=now, limits=LOOSE).text
        for one in visitors
    ]

    def come_in(n: int) -> Account:
        return numbers.prove(number, texts[n], actor=visitors[n], login=f"consumer-{n}", at=now)

    came_to = at_once(*(lambda n=n: come_in(n) for n in range(3)))  # type: ignore[misc]
    assert len({one.pk for one in came_to if isinstance(one, Account)}) == 1, came_to
    assert all(isinstance(one, Account) for one in came_to), came_to
    assert Holder.objects.count() == 1
