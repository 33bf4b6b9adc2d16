"""What appeals taught, as a file: labelled cases to measure a condition with, and to tune it."""

import csv
from datetime import datetime
from typing import TextIO

from django.db import transaction

from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.appeals.measuring import labelled
from ceir.registry.audit.chain import record

HEADER = ("imei", "condition", "run", "label")
"""Columns of the file."""

FALSE_POSITIVE, TRUE_POSITIVE = "false_positive", "true_positive"


def write_labels(file: TextIO, since: datetime, *, actor: Actor, at: datetime) -> int:
    """Write every case learnt since a moment, in the order in which it was. Returns: how many.

    It names equipment and nobody: neither who appealed nor why.

    Raises:
        PermissionDeniedError: the actor may not see runs.
    """
    require(actor, Permission.RUN_READ)
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADER)
    count = 0
    with transaction.atomic():
        for case in labelled(since):
            label = FALSE_POSITIVE if case.false_positive else TRUE_POSITIVE
            writer.writerow((case.identity, case.condition, case.run, label))
            count += 1
        record(actor, "appeal.labels_written", "appeals:all", at=at, detail={"rows": count})
    return count
