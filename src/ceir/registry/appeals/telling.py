"""Telling who appealed what becomes of it."""

from datetime import datetime

import structlog
from django.db import transaction

from ceir.identifiers import Imei
from ceir.registry.appeals.models import Appeal
from ceir.registry.notices.models import Event
from ceir.registry.notices.outbox import tell

_log = structlog.get_logger()


def tell_appellant(appeal: Appeal, event: Event, at: datetime) -> None:
    """Have whoever appealed told, as long as the number is his; after the deed was recorded.

    What cannot be told never keeps an appeal from being decided.
    """
    if appeal.line.ended_at is not None:
        return
    words = {"imei": appeal.malformed or Imei.from_number(appeal.imei).printed}
    nth, until = 1, None
    if event is Event.APPEAL_EVIDENCE:
        assert appeal.evidence_by is not None
        nth, until = appeal.asks, appeal.evidence_by
        words["date"] = until.isoformat()
    try:
        with transaction.atomic():
            tell(event, str(appeal), appeal.line.number, words, at=at, send_by=until, nth=nth)
    except Exception as error:  # noqa: BLE001 - whatever it is, what was decided holds
        _log.error("appellant_not_told", appeal=appeal.pk, told=event.value, problem=type(error).__name__)
