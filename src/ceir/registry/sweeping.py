"""Deeds that time brings, one after another: what fails for one holds up none of the others."""

from collections.abc import Callable, Iterable


def for_each(keys: Iterable[int], deed: Callable[[int], bool]) -> int:
    """Do something with each of some rows, each in a transaction of its own.

    Why: these are deeds that give something back; somebody else's broken row must not keep it from anybody.

    Args:
        deed: does it, and tells whether there was something to do.

    Returns: with how many there was.

    Raises:
        Exception: what the first failed with, once all others were tried.
    """
    done = 0
    first: Exception | None = None
    for key in keys:
        try:
            done += deed(key)
        except Exception as error:  # noqa: BLE001 - raised below
            first = first or error
    if first is not None:
        raise first
    return done
