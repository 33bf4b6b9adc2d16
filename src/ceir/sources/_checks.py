"""Checks that several sources share."""

from ceir.sources.declaration import Check

QUARANTINE = Check(
    "quarantined_share",
    0.01,
    "at most",
    "many rows that cannot be read mean another format, not a few slips",
)


def shrinkage(absolute: int, share: float) -> tuple[Check, ...]:
    """A full list may not be much smaller than the one it replaces; each bound that is on must hold.

    Args:
        absolute: most entries that it may lose; -1 switches this bound off.
        share: the least share of the old size, 0 to 1; 0 switches this bound off.
    """
    return (
        Check(
            "shrunk_by",
            absolute,
            "at most",
            "a truncated export would unblock or block thousands (-1: not checked)",
            "entries",
        ),
        Check(
            "kept_share",
            share,
            "at least",
            "a truncated export would unblock or block thousands (0: not checked)",
            "share of the entries before",
        ),
    )


def list_checks(absolute: int = -1, share: float = 0.75) -> tuple[Check, ...]:
    """What every reference list is checked for."""
    return (
        QUARANTINE,
        Check(
            "conflicting_keys",
            0,
            "at most",
            "two rows of one key that say different things: nobody can know which is meant",
            "keys",
        ),
        Check("change_conflicts", 0, "at most", "a delta both adds and removes the same key", "keys"),
        Check(
            "adds_present",
            0,
            "at most",
            "a delta adds what is on the list already: a lost or repeated delta",
            "keys",
        ),
        Check("removes_absent", 0, "at most", "a delta removes or updates what is not on the list", "keys"),
        *shrinkage(absolute, share),
    )
