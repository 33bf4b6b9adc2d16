"""That personal data was read stays recorded, whatever becomes of what it was read for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import partial

from django.db import connection, transaction

from ceir.registry.actors import SYSTEM, Actor
from ceir.registry.audit.chain import record

_READ: ContextVar[list[Callable[[], object]] | None] = ContextVar("read", default=None)


@contextmanager
def reading() -> Iterator[None]:
    """A transaction in which people read personal data. If it fails, all of it is taken back but one thing:
    what had been read is recorded anew.

    Raises:
        RuntimeError: within another transaction, whose failure would take the record of reading with it.
    """
    read: list[Callable[[], object]] = []
    outer = _READ.set(read)
    try:
        with transaction.atomic(durable=True):
            yield
    except BaseException:
        for again in read:
            again()
        raise
    finally:
        _READ.reset(outer)


def record_read(
    action: str, subject: str, *, actor: Actor, at: datetime, basis: str, detail: dict[str, object]
) -> None:
    """Record that something was read, before whoever reads sees it.

    The register itself reads in order to do something in the same transaction: if that fails, what it read
    has gone nowhere. A person has seen what he was shown.

    Raises:
        RuntimeError: a person reads in a transaction that is none of `reading`.
    """
    read = _READ.get()
    within = [block for block in connection.atomic_blocks if not getattr(block, "_from_testcase", False)]
    if within and read is None and actor != SYSTEM:
        raise RuntimeError("personal data is read within personal.reading.reading, or in no transaction")
    entry = partial(record, actor, action, subject, at=at, basis=basis, detail=detail)
    entry()
    if read is not None:
        read.append(entry)
