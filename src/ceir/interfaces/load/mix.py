"""What is asked: questions from files, or made up so that they look like a network's."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import ClassVar, Final

from ceir.equipment_check import Question
from ceir.errors import CeirError

MOST_QUESTIONS: Final = 100_000
"""Questions held in memory, ready to be sent; more of a file are drawn from at random."""

MADE_UP: Final = 10_000

_TACS: Final = 400
_BODIES: Final = ("35", "86", "01")
_BODY_WEIGHTS: Final = (75, 22, 3)
_TEST_NETWORK: Final = "00101"
"""A PLMN that no real subscriber has: TS 23.003 annex A knows it as a test network."""

_WITH_VERSION: Final = 0.9
_WITH_SUBSCRIBER: Final = 0.95


class MixError(CeirError):
    """There is nothing to ask, or a file of questions cannot be read."""

    code: ClassVar[str] = "load_mix"


@dataclass(frozen=True, slots=True)
class Read:
    """Questions of a file.

    Args:
        skipped: lines without an IMEI of 14 to 16 digits, or with something else in the other columns.
        left_out: questions above `MOST_QUESTIONS`.
    """

    questions: tuple[Question, ...]
    skipped: int
    left_out: int


def made_up(count: int, seed: int) -> tuple[Question, ...]:
    """Questions as an MME or AMF asks them; the same for the same seed.

    A few models have most of the equipment; nine in ten come with a software version, nearly all with the
    IMSI of a test network.

    Args:
        count: how many, 1 or more.
    """
    choose = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    tacs = [
        choose.choices(_BODIES, _BODY_WEIGHTS)[0] + f"{choose.randrange(1_000_000):06}" for _ in range(_TACS)
    ]
    weights = [choose.paretovariate(1.1) for _ in tacs]
    models = choose.choices(tacs, weights, k=count)
    return tuple(_used(choose, int(tac) * 1_000_000 + choose.randrange(300_000)) for tac in models)


def mixed(
    questions: Sequence[Question], listed: Sequence[Question], share: float, seed: int
) -> Sequence[Question]:
    """Questions among which a share asks about listed equipment; the same for the same seed.

    Args:
        questions: the rest; all of them are in the mix, in their order, up to `MOST_QUESTIONS` in all.
        listed: what the share is drawn from; those that tell no subscriber get a made-up one.
        share: of the whole, from 0 to below 1.

    Raises:
        MixError: another share.
    """
    if not 0 <= share < 1:
        raise MixError(f"A share of {share:g} is none.", "Give 0 to 0.99, for instance 0.05.")
    choose = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    made: list[Question] = []
    for question in questions:
        if len(made) >= MOST_QUESTIONS:
            break
        while choose.random() < share:
            drawn = choose.choice(listed)
            fresh = drawn.imei is not None and drawn.imsi is None and drawn.software_version is None
            made.append(_used(choose, drawn.imei) if fresh and drawn.imei is not None else drawn)
        made.append(question)
    return made


def read_questions(path: Path, seed: int) -> Read:
    """The questions of a file: an IMEI a line, or CSV with a header that has a column `imei`.

    Columns `software_version` and `imsi` count where they are there, others do not, so that a published list
    will do as it is. Of an IMEI with 16 digits the last two are the software version.

    Args:
        seed: decides which are taken of more than `MOST_QUESTIONS`.

    Raises:
        MixError: it cannot be read, or there is no question in it.
    """
    choose = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    kept: list[Question] = []
    skipped = found = 0
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for question in _parsed(csv.reader(file)):
                if question is None:
                    skipped += 1
                    continue
                found += 1
                if len(kept) < MOST_QUESTIONS:
                    kept.append(question)
                elif (place := choose.randrange(found)) < MOST_QUESTIONS:
                    kept[place] = question
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no CSV in UTF-8"
        raise MixError(
            f"{path.name} cannot be read: {reason}.", "Give an IMEI a line, or CSV with a header."
        ) from error
    if not kept:
        raise MixError(
            f"{path.name} holds no IMEI of 14 to 16 digits.", "Give an IMEI a line, or a column named imei."
        )
    return Read(tuple(kept), skipped, found - len(kept))


def _parsed(rows: Iterable[list[str]]) -> Iterator[Question | None]:
    columns: dict[str, int] = {"imei": 0}
    first = True
    for row in rows:
        if not row or not any(cell.strip() for cell in row):
            continue
        if first and not any(_digits(cell, 14, 16) for cell in row):
            columns = {name.strip().lower(): place for place, name in enumerate(row)}
            if "imei" not in columns:
                names = [name for name in columns if name.isidentifier()]
                raise MixError("The header has no column imei.", f"It has: {', '.join(names) or 'no names'}.")
            first = False
            continue
        first = False
        yield _question(
            *(
                row[columns[name]].strip() if name in columns and columns[name] < len(row) else ""
                for name in ("imei", "software_version", "imsi")
            )
        )


def _question(imei: str, version: str, imsi: str) -> Question | None:
    good = (
        _digits(imei, 14, 16)
        and (not version or _digits(version, 1, 2))
        and (not imsi or _digits(imsi, 5, 15))
    )
    if not good:
        return None
    told = version or imei[14:16] if len(imei) == 16 else version
    return Question(int(imei[:14]), int(told) if told else None, int("1" + imsi) if imsi else None)


def _digits(text: str, fewest: int, most: int) -> bool:
    stripped = text.strip()
    return fewest <= len(stripped) <= most and stripped.isascii() and stripped.isdecimal()


def _used(choose: Random, imei: int) -> Question:
    """Equipment as somebody uses it."""
    version = choose.randrange(100) if choose.random() < _WITH_VERSION else None
    subscriber = f"{_TEST_NETWORK}{choose.randrange(10**10):010}"
    return Question(imei, version, int("1" + subscriber) if choose.random() < _WITH_SUBSCRIBER else None)
