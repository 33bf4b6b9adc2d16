"""Models as the GSMA lists them, and when networks saw an identity."""

from ceir.registry.accounts.permissions import Permission
from ceir.registry.administration.declaring import Desk
from ceir.registry.references.models import Observed, TacRecord

DESKS = (
    Desk(
        TacRecord,
        sees=(Permission.APPROVAL_READ,),
        shown=("tac", "manufacturer", "model_name", "device_type", "sim_slots", "allocated_on"),
        find=("=tac", "manufacturer", "model_name"),
    ),
    Desk(
        Observed,
        sees=(Permission.RUN_READ,),
        shown=("imei", "first_seen", "last_seen"),
        imei="imei",
    ),
)
