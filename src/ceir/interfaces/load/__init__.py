from ceir.interfaces.load.calling import Caller, PeerRefusedError, UnreachableError
from ceir.interfaces.load.plan import Plan
from ceir.interfaces.load.putting import put_load
from ceir.interfaces.load.report import ConnectionReport, LoadReport
from ceir.interfaces.load.times import PERCENTAGES, Times

__all__ = [
    "PERCENTAGES",
    "Caller",
    "ConnectionReport",
    "LoadReport",
    "PeerRefusedError",
    "Plan",
    "Times",
    "UnreachableError",
    "put_load",
]
