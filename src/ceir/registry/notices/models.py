"""Notices, how they were sent, what came back, and who wants none."""

from enum import Enum, IntEnum
from typing import ClassVar

from django.db import models

from ceir.registry.gateways import ReceiptState
from ceir.registry.personal.fields import EncryptedField, KeyedField, Purpose
from ceir.registry.personal.retention import Retention
from ceir.registry.runs.models import Contact

KEPT_DAYS = 180
"""After a notice was settled: as long as somebody may ask whether he was told."""


class Event(Enum):
    """What somebody is told."""

    BLOCK = "block"
    """That a device will be blocked on a day."""
    CODE = "code"
    """A one-time code that somebody asked for."""
    CASE_PROVISIONAL = "case_provisional"
    CASE_LAPSED = "case_lapsed"
    """A provisional block is over, for nobody confirmed the report in time."""
    CASE_BLOCKED = "case_blocked"
    CASE_RECOVERED = "case_recovered"
    CASE_ENDED = "case_ended"
    CASE_ASKED = "case_asked"
    """Whoever uses a lost device that is not blocked is asked to come forward."""
    TRANSFER_GIVEN = "transfer_given"
    TRANSFER_TAKEN = "transfer_taken"
    APPEAL_EVIDENCE = "appeal_evidence"
    APPEAL_RESTORED = "appeal_restored"
    APPEAL_UPHELD = "appeal_upheld"
    APPEAL_DISMISSED = "appeal_dismissed"


class Rank(IntEnum):
    """What goes first."""

    ASKED_FOR = 0
    """Somebody waits for it with the phone in his hand: also at quiet hours."""
    MATTER = 1
    BLOCK = 2


class NoticeState(Enum):
    """Where a notice stands."""

    WAITING = "waiting"
    SENDING = "sending"
    """Handed to a gateway, whose answer is not kept yet."""
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    """No gateway took it."""
    UNCERTAIN = "uncertain"
    """It may have been sent; it is not sent again."""
    OPTED_OUT = "opted_out"
    WITHDRAWN = "withdrawn"
    """What it would have said is not so any more."""


TRANSITIONS: dict[NoticeState, frozenset[NoticeState]] = {
    NoticeState.WAITING: frozenset({NoticeState.SENDING, NoticeState.OPTED_OUT, NoticeState.WITHDRAWN}),
    NoticeState.SENDING: frozenset(
        {NoticeState.SENT, NoticeState.WAITING, NoticeState.FAILED, NoticeState.UNCERTAIN}
    ),
    NoticeState.SENT: frozenset(
        {NoticeState.DELIVERED, NoticeState.UNDELIVERED, NoticeState.WAITING, NoticeState.UNCERTAIN}
    ),
    # What a gateway says later settles what nobody knew.
    NoticeState.UNCERTAIN: frozenset({NoticeState.DELIVERED, NoticeState.UNDELIVERED}),
    NoticeState.DELIVERED: frozenset(),
    NoticeState.UNDELIVERED: frozenset(),
    NoticeState.FAILED: frozenset(),
    NoticeState.OPTED_OUT: frozenset(),
    NoticeState.WITHDRAWN: frozenset({NoticeState.WAITING}),
}
"""From which state which others may follow."""


class Notice(models.Model):
    """One thing that one subscriber is told once.

    Of a block it is told to whom a run names, whose number its contact holds. Of anything else it is told to
    a number that it holds itself, with the words that are put into the text.
    """

    event = models.CharField(max_length=16, choices=[(e.value, e.value) for e in Event])
    rank = models.PositiveSmallIntegerField(help_text="The least goes first.")
    about = models.CharField(max_length=64, blank=True, help_text="`case:12`; empty: the block of a device.")
    nth = models.PositiveSmallIntegerField(default=1, help_text="Time that the event happens in the matter.")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, null=True, related_name="notices")
    imei = models.BigIntegerField(null=True)
    imsi_key = KeyedField(label="imsi", null=True)
    msisdn_key = KeyedField(label="msisdn", null=True)
    block_on = models.DateField(null=True)
    days = models.PositiveSmallIntegerField(
        null=True, help_text="Of the policy's days before the block, which one it is for."
    )
    msisdn = EncryptedField(label="notice.msisdn", purpose=Purpose.NOTICE, kept_days=KEPT_DAYS, null=True)
    words = EncryptedField(label="notice.words", purpose=Purpose.NOTICE, kept_days=KEPT_DAYS, null=True)
    code = models.CharField(
        max_length=16, blank=True, help_text="The same for all notices of a device to a subscriber."
    )
    state = models.CharField(
        max_length=12, choices=[(s.value, s.value) for s in NoticeState], default=NoticeState.WAITING.value
    )
    made_at = models.DateTimeField()
    next_at = models.DateTimeField(help_text="Not before.")
    send_by = models.DateTimeField(null=True, help_text="Not later: it would be no use any more.")
    tries = models.PositiveSmallIntegerField(default=0)
    language = models.CharField(max_length=16, blank=True, help_text="In which it was sent.")
    sent_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    detail = models.CharField(max_length=200, blank=True, help_text="Why it stands where it stands.")

    PERSONAL: ClassVar[Retention] = Retention(ended="settled_at", kind="notice")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("imei", "imsi_key", "msisdn_key", "block_on", "days"), name="notice_once"
            ),
            models.UniqueConstraint(
                fields=("about", "event", "nth", "msisdn_key"),
                condition=~models.Q(about=""),
                name="notice_of_matter_once",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    event=Event.BLOCK.value,
                    about="",
                    contact__isnull=False,
                    imei__isnull=False,
                    block_on__isnull=False,
                    days__isnull=False,
                )
                | (~models.Q(event=Event.BLOCK.value) & ~models.Q(about="")),
                name="notice_is_of_a_block_or_a_matter",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[s.value for s in NoticeState]), name="notice_state"
            ),
        )
        indexes = (
            models.Index(
                fields=("rank", "block_on", "id"), condition=models.Q(state="waiting"), name="notice_due"
            ),
            models.Index(fields=("block_on", "imei"), name="notice_of_block"),
            models.Index(fields=("sent_at",), condition=models.Q(state="sent"), name="notice_unreported"),
            models.Index(fields=("msisdn_key", "code"), name="notice_code"),
        )

    def __str__(self) -> str:
        return f"notice {self.pk}: {self.state}"

    def turn(self, state: NoticeState, detail: str = "") -> None:
        """Let it go to another state; it is not saved.

        Raises:
            ValueError: it cannot go there.
        """
        if state not in TRANSITIONS[NoticeState(self.state)]:
            raise ValueError(f"a notice that is {self.state} cannot become {state.value}")
        self.state, self.detail = state.value, detail[:200]


class Sending(models.Model):
    """One time that a notice was handed to a gateway."""

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="sendings")
    number = models.PositiveSmallIntegerField(help_text="1 for the first.")
    gateway = models.CharField(max_length=32)
    at = models.DateTimeField()
    outcome = models.CharField(max_length=12, blank=True, help_text="Empty: the answer is not kept yet.")
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("notice", "number"), name="sending_once"),)

    def __str__(self) -> str:
        return f"{self.notice_id}.{self.number}"


class Part(models.Model):
    """What a gateway calls a message, or a part of it."""

    sending = models.ForeignKey(Sending, on_delete=models.PROTECT, related_name="parts")
    gateway = models.CharField(max_length=32)
    identifier = models.CharField(max_length=300)
    state = models.CharField(
        max_length=16,
        choices=[(s.value, s.value) for s in ReceiptState],
        default=ReceiptState.ON_ITS_WAY.value,
    )

    class Meta:
        indexes = (models.Index(fields=("gateway", "identifier"), name="part_identifier"),)

    def __str__(self) -> str:
        return self.identifier


class Report(models.Model):
    """A delivery receipt as it came; it may come before the answer to what it is about."""

    gateway = models.CharField(max_length=32)
    identifier = models.CharField(max_length=300)
    state = models.CharField(max_length=16, choices=[(s.value, s.value) for s in ReceiptState])
    detail = models.CharField(max_length=100, blank=True)
    kept_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, help_text="When it was found what it is about.")

    class Meta:
        ordering = ("pk",)
        indexes = (
            models.Index(
                fields=("gateway", "identifier"),
                condition=models.Q(settled_at__isnull=True),
                name="report_open",
            ),
        )

    def __str__(self) -> str:
        return f"{self.identifier}: {self.state}"


class Preference(models.Model):
    """In which language a number is told, or that it is not."""

    number = KeyedField(label="msisdn", unique=True)
    language = models.CharField(max_length=16, blank=True)
    opted_out_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"preference {self.pk}"
