"""Parameters of rules about journeys and homes."""

from ceir.rules.declaration import Parameter
from ceir.workings._journeys import CLOCK_SKEW_BETWEEN_SECONDS, CLOCK_SKEW_SECONDS, LIMIT_KMH
from ceir.workings.doubtful_places import AREA_KM
from ceir.workings.home_nights import LEAST_NIGHTS, NIGHT_FROM_HOUR, NIGHT_HOURS
from ceir.workings.meetings import OVERLAP_SECONDS, SWAP_SECONDS
from ceir.workings.places import CELL_RADIUS_M
from ceir.workings.separate_homes import SEPARATE_KM
from ceir.workings.sighted import LONGEST_HOURS

CELL_RADIUS = Parameter(
    "cell_radius_m",
    "int",
    "How far from a cell's place equipment may be where its list does not say, in metres.",
    default=CELL_RADIUS_M,
    minimum=0,
)
LONGEST = Parameter(
    "longest_hours",
    "int",
    "Sightings that last longer end after so many hours: nobody reported that the equipment left.",
    default=LONGEST_HOURS,
    minimum=1,
)
SPEED = (
    Parameter("limit_kmh", "int", "Speed above which nobody travels, in km/h.", default=LIMIT_KMH, minimum=1),
    Parameter(
        "clock_skew_seconds",
        "int",
        "How far the clocks of one operator may be apart, in seconds.",
        default=CLOCK_SKEW_SECONDS,
        minimum=0,
    ),
)
MEETINGS = (
    *SPEED,
    Parameter(
        "clock_skew_between_seconds",
        "int",
        "How far the clocks of two operators may be apart, in seconds.",
        default=CLOCK_SKEW_BETWEEN_SECONDS,
        minimum=0,
    ),
    Parameter(
        "swap_seconds",
        "int",
        "Least time to change the SIM card, in seconds; 0: the device may hold both.",
        default=SWAP_SECONDS,
        minimum=0,
    ),
    Parameter(
        "overlap_seconds",
        "int",
        "Two sightings overlap if they do for longer than this beside the clocks' skew, in seconds.",
        default=OVERLAP_SECONDS,
        minimum=0,
    ),
    CELL_RADIUS,
    LONGEST,
)
HOMES = (
    Parameter(
        "night_from_hour", "int", "Hour (UTC) in which nights begin.", default=NIGHT_FROM_HOUR, minimum=0
    ),
    Parameter("night_hours", "int", "Hours that a night lasts.", default=NIGHT_HOURS, minimum=1),
    Parameter(
        "area_km", "int", "How far from home still counts as at home, in km.", default=AREA_KM, minimum=0
    ),
    Parameter(
        "least_nights",
        "int",
        "Fewest nights at home, of one subscriber and of two together.",
        default=LEAST_NIGHTS,
        minimum=1,
    ),
    Parameter(
        "separate_km", "int", "Least distance of separate homes, in km.", default=SEPARATE_KM, minimum=1
    ),
    *SPEED,
    CELL_RADIUS,
    LONGEST,
)
