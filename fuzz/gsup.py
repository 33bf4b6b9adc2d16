"""Throws damaged IPA frames and GSUP messages at the codec and the server's answering for as long as told.

    python fuzz/gsup.py [--seconds 600] [--seed 1] [--corpus FOLDER] [--keep FOLDER]

What must hold for every input: nothing but a typed refusal is raised; every answer is one whole frame whose
elements can be read; memory does not grow.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from octets import BrokenPromiseError, Damage, Target, damaged, run

from ceir.interfaces.gsup import codec
from ceir.interfaces.gsup.codec import IpaError
from ceir.interfaces.gsup.server import GsupServer
from vectors import BLOCKED_IMEI, SetChecker

_IMSI = "001010123456789"
SEEDS = [
    codec.ask(str(BLOCKED_IMEI), _IMSI, b"MSC\0"),
    codec.ask(f"{BLOCKED_IMEI}07", _IMSI),
    codec.message(0x30, ((0x30, b"\0\0\0\1"), (0x31, b"\1"), (1, codec.packed(_IMSI)), (0x50, b"\x53" * 8))),
    codec.message(0x04, ((1, codec.packed(_IMSI)),)),
    codec.frame(codec.PROTOCOL_CCM, b"\0") + codec.ask("35209900176148", _IMSI),
]
SERVER = GsupServer(SetChecker())


def target(octets: bytes) -> None:
    """Raises only when there is a mistake in the codec."""
    try:
        found, _ = codec.frames(octets, 2048)
    except IpaError:
        return
    for protocol, payload in found:
        if protocol != codec.PROTOCOL_OSMO:
            continue
        reply = SERVER.answered(payload[1:], 0.0, time.monotonic)
        if reply is None:
            continue
        frames, rest = codec.frames(reply, 2048)
        if len(frames) != 1 or rest != len(reply):
            raise BrokenPromiseError("the answer is not one frame")
        codec.elements(frames[0][1][1:])


def harness() -> tuple[Target, list[bytes], Damage]:
    """What is thrown at what."""
    return target, SEEDS, damaged


if __name__ == "__main__":
    sys.exit(run(__doc__ or "", *harness()))
