"""The subscriber's device declares radio capabilities that other devices of the model do not."""

from ceir.rungs._capabilities import LEAST_DEVICES, STRANGE_PERCENT, TABLES
from ceir.rungs.declaration import Rung

RUNG = Rung(
    name="capability_unlike_model",
    title="Capabilities unlike the model's",
    doc="The subscriber's device declares radio capabilities that fewer than "
    f"{STRANGE_PERCENT} % of the model's devices declare; known of {LEAST_DEVICES} of them, each with one "
    "subscriber, at the same operator.",
    says="the subscriber's device declares radio capabilities that the model's devices do not",
    query="SELECT imei, imsi FROM declared_lines WHERE strange = 1",
    speaks_for=False,
    reads=("fingerprints",),
    tables=TABLES,
)
