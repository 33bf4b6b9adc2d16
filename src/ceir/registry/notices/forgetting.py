"""Forgetting what is not needed any more of whom was told what."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Q

from ceir.registry.notices.models import KEPT_DAYS, Event, Notice
from ceir.registry.notices.reports import forget_reports

_REPORTS_KEPT = timedelta(days=30)


def forget(at: datetime) -> Mapping[str, int]:
    """Delete old reports, and by whom old notices of blocks could be found; done again it does nothing.

    What other notices hold is shredded with all personal data: see `personal.shredding`.
    """
    old = Q(settled_at__lt=at - timedelta(days=KEPT_DAYS)) | Q(contact__msisdn_key__isnull=True)
    blocks = Notice.objects.filter(old, event=Event.BLOCK.value, settled_at__isnull=False)
    keys = blocks.filter(msisdn_key__isnull=False).values_list("pk", flat=True)
    return {
        "reports": forget_reports(at - _REPORTS_KEPT),
        "notices": Notice.objects.filter(pk__in=list(keys)).update(imsi_key=None, msisdn_key=None),
    }
