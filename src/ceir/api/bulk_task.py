"""The task that answers a question of many identifiers, as the queue knows it."""

from uuid import UUID

from django.utils import timezone
from django_tasks import task

from ceir.api.identities import identity_of
from ceir.registry.bulk.asking import carry_out


@task()
def answer_bulk(key: str) -> str:
    """Answer it; bears being run twice, and at once."""
    return carry_out(UUID(key), identity_of, timezone.now)
