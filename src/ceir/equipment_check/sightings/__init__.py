from ceir.equipment_check.sightings.keeping import (
    Keeping,
    SightingsError,
    SpoolLimits,
    Subscriber,
    subscriber_key,
)
from ceir.equipment_check.sightings.line import Sighting, closed_segments, read_sightings
from ceir.equipment_check.sightings.spool import Observe, Spool, told_in_turn

__all__ = [
    "Keeping",
    "Observe",
    "Sighting",
    "SightingsError",
    "Spool",
    "SpoolLimits",
    "Subscriber",
    "closed_segments",
    "read_sightings",
    "subscriber_key",
    "told_in_turn",
]
