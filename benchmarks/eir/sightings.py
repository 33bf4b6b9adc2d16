"""What keeping sightings costs an answer, and what the writing thread adds to how late others run.

    python benchmarks/eir/sightings.py [SIGHTINGS]

Prints CPU nanoseconds of a call for answers that are kept and not, CPU microseconds of the writer for each
sighting, and how late an event loop gets to what is due every millisecond, 10,000 sightings a second coming
in, with nobody watching, with answers that are not kept, and with all of them kept.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from ceir.equipment_check import Answer, EquipmentStatus, Question, Reason
from ceir.equipment_check.sightings import Keeping, Observe, Spool, SpoolLimits, Subscriber

BLOCKED = Answer(EquipmentStatus.BLOCKED, Reason.IDENTITY)
PERMITTED = Answer(EquipmentStatus.PERMITTED, Reason.DEFAULT)
QUESTION = Question(35_675904_000001, 7, 1_001010123456789)
ROUNDS = 5


def spool(folder: Path, keeping: Keeping, waiting: int) -> Spool:
    limits = SpoolLimits(waiting=waiting)
    return Spool(folder, 0, limits, keeping, clock=time.time, monotonic=time.monotonic)


def nobody(answer: Answer, seconds: float, question: Question) -> None:
    """An observer that does nothing: what the call itself costs."""


def nanoseconds(observe: Observe, answer: Answer, count: int) -> float:
    """CPU time of a call, the fastest of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time_ns()
        for _ in range(count):
            observe(answer, 0.0001, QUESTION)
        best = min(best, (time.process_time_ns() - begun) / count)
    return best


async def lateness(observe: Observe, answer: Answer, seconds: float) -> tuple[float, float]:
    """Median and 99th percentile, in ms, of how late what is due every millisecond runs."""
    loop, late = asyncio.get_running_loop(), []
    due, end = loop.time(), loop.time() + seconds
    imei = 0
    while due < end:
        due += 0.001
        await asyncio.sleep(max(0.0, due - loop.time()))
        late.append((loop.time() - due) * 1000)
        for _ in range(10):
            imei += 1
            observe(answer, 0.0001, Question(imei, 7, QUESTION.imsi))
    return statistics.median(late), statistics.quantiles(late, n=100)[98]


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sightings", type=int, nargs="?", default=200_000)
    count = parser.parse_args().sightings
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        call = nanoseconds(nobody, BLOCKED, count)
        print(f"a call that does nothing: {call:.0f} ns")
        for what, answer, keeping, room in (
            ("not kept", PERMITTED, Keeping(), 1),
            ("not kept, 1 in 1,000 sampled", PERMITTED, Keeping(sample_every=1000), count * ROUNDS),
            ("kept", BLOCKED, Keeping(), count * ROUNDS),
            ("dropped because memory is full", BLOCKED, Keeping(), 1),
        ):
            observe = spool(folder, keeping, room).observer("s13")
            print(f"{what}: {nanoseconds(observe, answer, count) - call:.0f} ns more")
        for what, keeping in (
            ("in clear", Keeping()),
            ("keyed", Keeping(subscriber=Subscriber.KEYED, key=bytes(32))),
            ("folded", Keeping(fold_seconds=60)),
        ):
            one = spool(folder / what, keeping, count)
            observe = one.observer("s13")
            for imei in range(count):
                observe(BLOCKED, 0.0001, Question(imei, 7, QUESTION.imsi))
            begun = time.process_time()
            one.start()
            assert one.close(600)
            spent = (time.process_time() - begun) / count * 1e6
            print(f"written {what}: {spent:.2f} CPU µs each")
            assert one.written == count
        for what, answer, watched in (
            ("nobody watches", PERMITTED, False),
            ("not kept", PERMITTED, True),
            ("all kept", BLOCKED, True),
        ):
            one = spool(folder / f"late {watched} {answer.status}", Keeping(), 20_000)
            one.start()
            median, worst = asyncio.run(lateness(one.observer("s13") if watched else nobody, answer, 10))
            assert one.close(60)
            print(f"{what}: {median:.3f} ms late at the median, {worst:.3f} ms at p99; {one.dropped} dropped")


if __name__ == "__main__":
    main()
