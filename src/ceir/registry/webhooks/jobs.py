from datetime import datetime, timedelta

from ceir.registry.jobs import Job
from ceir.registry.webhooks.sending import forget, gather, send_due


def _send(at: datetime) -> str:
    made, sent = gather(at), send_due(at)
    return (
        f"{made} messages made, {sent.delivered} delivered, {sent.failed} to be tried again, {sent.dead} dead"
    )


def _forget(at: datetime) -> str:
    return f"{forget(at)} messages forgotten"


JOBS = (
    Job("webhooks-send", "Tell webhooks what happened.", timedelta(seconds=5), _send),
    Job("webhooks-forget", "Forget what webhooks were told 30 days ago.", timedelta(days=1), _forget),
)
