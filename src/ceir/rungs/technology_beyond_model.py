"""The subscriber was seen with the identity on a radio technology that its model cannot use."""

from ceir.facts import Context
from ceir.facts.model_generations import FACT as MODEL
from ceir.facts.observed_generations import FACT as OBSERVED
from ceir.rungs.declaration import Rung

_ANY = Context(end=0)

RUNG = Rung(
    name="technology_beyond_model",
    title="Technology the model cannot use",
    doc="The subscriber was seen with the identity on a radio technology that its model cannot use: the "
    "subscriber's device is of another model.",
    says="the subscriber was seen on a radio technology that the model cannot use",
    query=f"SELECT u.imei, u.imsi FROM (SELECT imei, imsi, tac, {OBSERVED.sql(_ANY)} AS seen_on FROM users) "
    f"AS u JOIN ({MODEL.sql(_ANY)}) AS m ON m.tac = u.tac WHERE (u.seen_on & ~m.value) <> 0",
    speaks_for=False,
    reads=("tac",),
)
