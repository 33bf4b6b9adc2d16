from ceir.interfaces.n17.application import N17Application
from ceir.interfaces.n17.server import N17Server

__all__ = ["N17Application", "N17Server"]
