"""Delivery reports: kept as they come, and settled with what they are about once that is known."""

from collections.abc import Iterable
from datetime import datetime

from django.db import close_old_connections, connection, transaction
from django.db.models import Exists, OuterRef

from ceir.clock import Clock
from ceir.registry.gateways import Incoming, Keep, Receipt, ReceiptState
from ceir.registry.notices.concluding import conclude, pause_of
from ceir.registry.notices.models import Notice, NoticeState, Part, Rank, Report
from ceir.registry.notices.terms import NoticeTerms

_FINAL = (ReceiptState.DELIVERED.value, ReceiptState.NOT_DELIVERED.value, ReceiptState.REFUSED.value)


def keep_report(gateway: str, receipt: Receipt, *, at: datetime) -> None:
    """Keep a receipt; what it is about is looked for by `settle`.

    Args:
        gateway: name of the route it came by.
    """
    Report.objects.create(
        gateway=gateway,
        identifier=receipt.id[:300],
        state=receipt.state.value,
        detail=receipt.detail[:100],
        kept_at=at,
    )


def keep_reports(gateway: str, receipts: Iterable[Receipt], *, at: datetime) -> None:
    """Keep all of them, or none."""
    with transaction.atomic():
        for receipt in receipts:
            keep_report(gateway, receipt, at=at)


def keeper(gateway: str, terms: NoticeTerms, clock: Clock) -> Keep:
    """What a gateway is opened with: keeps receipts, and does what people write."""
    from ceir.registry.notices.preferring import heed  # noqa: PLC0415 - it sends nothing and needs no reports

    def take(told: Receipt | Incoming) -> None:
        if isinstance(told, Receipt):
            keep_report(gateway, told, at=clock())
        else:
            heed(told, terms, at=clock())

    def keep(told: Receipt | Incoming) -> None:
        if connection.in_atomic_block:  # the sender's own thread, which looks after its connection
            take(told)
            return
        # A thread of the gateway's own: nobody else gives its connection back.
        close_old_connections()
        try:
            take(told)
        finally:
            close_old_connections()

    return keep


def settle(terms: NoticeTerms, *, at: datetime, most: int = 1000) -> int:
    """Hold reports and what was sent together. Returns: reports settled."""
    settled = 0
    # Of those that nothing is known of there may be many: they never hold the others up.
    known = Part.objects.filter(gateway=OuterRef("gateway"), identifier=OuterRef("identifier"))
    waiting = Report.objects.filter(Exists(known), settled_at__isnull=True).order_by("pk")
    for report_id in list(waiting.values_list("pk", flat=True)[:most]):
        settled += _settle(report_id, terms, at)
    return settled


def forget_reports(before: datetime) -> int:
    """Delete reports that came earlier: settled, or about nothing of ours. Returns: how many."""
    return Report.objects.filter(kept_at__lt=before).delete()[0]


def give_up_reports(terms: NoticeTerms, *, at: datetime) -> int:
    """Count notices of whose delivery no report came as uncertain: nobody knows whether they were read.

    A report that comes later still settles them. Returns: how many.
    """
    with transaction.atomic():
        left = Notice.objects.filter(state=NoticeState.SENT.value, sent_at__lt=at - terms.reported)
        return left.update(
            state=NoticeState.UNCERTAIN.value, settled_at=at, detail="no report of its delivery came"
        )


def _settle(report_id: int, terms: NoticeTerms, at: datetime) -> bool:
    with transaction.atomic():
        report = (
            Report.objects.select_for_update(skip_locked=True)
            .filter(pk=report_id, settled_at__isnull=True)
            .first()
        )
        if report is None:
            return False
        part = (
            Part.objects.select_related("sending")
            .filter(gateway=report.gateway, identifier=report.identifier)
            .order_by("-pk")  # centres use their identifiers again after a while
            .first()
        )
        if part is None:
            return False
        notice = Notice.objects.select_for_update().get(pk=part.sending.notice_id)
        if part.state not in _FINAL:
            part.state = report.state
            part.save()
            _conclude(notice, part, terms, at, report.detail)
        report.settled_at = at
        report.save()
    return True


def _conclude(notice: Notice, part: Part, terms: NoticeTerms, at: datetime, detail: str) -> None:
    """What the parts of a sending, taken together, say of its notice."""
    if part.sending.number != notice.sendings.count():
        return  # of an earlier sending: the notice has been handed over again
    states = set(part.sending.parts.values_list("state", flat=True))
    open_ones = {NoticeState.SENT.value, NoticeState.UNCERTAIN.value}
    if notice.state not in open_ones or not states <= set(_FINAL):
        return
    if states == {ReceiptState.DELIVERED.value}:
        conclude(notice, NoticeState.DELIVERED, detail, at=at)
    elif (
        states == {ReceiptState.NOT_DELIVERED.value}  # a text of which a part arrived is not sent again
        and notice.state == NoticeState.SENT.value
        and notice.tries < terms.tries
        and notice.rank != Rank.ASKED_FOR.value
    ):
        notice.turn(NoticeState.WAITING, detail)
        notice.next_at = at + pause_of(notice, terms)
    else:
        conclude(notice, NoticeState.UNDELIVERED, detail, at=at)
    notice.save()
