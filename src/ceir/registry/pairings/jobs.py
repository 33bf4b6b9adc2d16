from datetime import datetime, timedelta

from ceir.registry.country.given import country
from ceir.registry.jobs import Job
from ceir.registry.pairings.pairing import sweep


def _sweep(at: datetime) -> str:
    return f"{sweep(country().pairings, at)} pairings released"


JOBS = (Job("pairings-sweep", "Release pairings whose line ended long ago.", timedelta(days=1), _sweep),)
