"""The policy's numbers for notices, and the hours in which nobody is disturbed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ceir.errors import CeirError
from ceir.registry.notices.wording import Wording, safe, wordings

_SHORT_CODE = re.compile(r"[*#0-9]{3,12}")
_MINUTE = timedelta(minutes=1)
_MOST_HOLD_DAYS = 365


class NoticeTermsError(CeirError):
    """Notices cannot be sent as the policy has it."""

    code: ClassVar[str] = "notice_terms"


@dataclass(frozen=True)
class QuietHours:
    """Hours of the local clock in which nothing is sent.

    Args:
        begin, end: local times; the first is quiet, the second no longer. `begin` after `end`: over midnight.
            The same: there are none.
        zone: whose clock it is.
    """

    begin: time
    end: time
    zone: ZoneInfo

    @classmethod
    def of(cls, begin: time, end: time, zone: str) -> "QuietHours":
        """From the name of a zone, like `Africa/Nairobi`.

        Raises:
            NoticeTermsError: there is no such zone.
        """
        try:
            return cls(begin, end, ZoneInfo(zone))
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise NoticeTermsError(f"There is no time zone {zone!r}.", "Like Africa/Nairobi.") from error

    def today(self, at: datetime) -> date:
        """The local day of a moment."""
        return at.astimezone(self.zone).date()

    def covers(self, at: datetime) -> bool:
        """Whether a moment is quiet, by what the clocks on the walls show."""
        shown = at.astimezone(self.zone).time()
        if self.begin <= self.end:
            return self.begin <= shown < self.end
        return shown >= self.begin or shown < self.end

    def next_allowed(self, at: datetime) -> datetime:
        """The first moment from then on, by the minute, that is not quiet."""
        if not self.covers(at):
            return at
        utc = at.astimezone(ZoneInfo("UTC")).replace(second=0, microsecond=0) + _MINUTE
        # By the minute and not by reckoning: clocks are put forward and back, and not everywhere by an hour.
        while self.covers(utc):
            utc += _MINUTE
        return utc


class Untold(Enum):
    """What happens to a block of which nobody could be told."""

    BLOCK = "block"
    """It comes on its day; it is counted and shown."""
    HOLD = "hold"
    """It is held back for some days, in which telling goes on; then it comes all the same."""


class Told(Enum):
    """When somebody counts as told."""

    DELIVERED = "delivered"
    """The network says that it is on the phone."""
    SENT = "sent"
    """The gateway took it: for one that tells nothing of deliveries."""


@dataclass(frozen=True)
class NoticeTerms:
    """What the policy says of notices.

    Args:
        name: of the office, as people know it; at most 30 characters.
        short_code: what people dial, like `*123#`.
        days: before the block; the last one before today is sent, not all of them at once.
        languages: codes of texts; the first one where no other is chosen.
        opt_out: whether the law lets people refuse notices.
        reasons: by a reason of the policy its words in each language; one without is not told.
        tries: of handing a notice over, refused for now each time or not delivered.
        pause: after the first try; doubled after each further one, up to `longest_pause`.
        given_up: after which a notice whose sending was never answered counts as uncertain.
        reported: within which a delivery is reported; after that whether it came is not known.
        code_pause: between two tries of a one-time code, for which somebody waits.
        told: when somebody counts as told.
        untold: what happens to a block of which nobody could be told.
        hold_days: for how many days it is held back.
        wordings: the texts; what the country has of its own takes the place of ours.
    """

    name: str
    short_code: str
    quiet: QuietHours
    days: tuple[int, ...] = (30, 7, 1)
    languages: tuple[str, ...] = ("en",)
    opt_out: bool = False
    reasons: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tries: int = 5
    pause: timedelta = timedelta(minutes=5)
    longest_pause: timedelta = timedelta(hours=6)
    given_up: timedelta = timedelta(hours=1)
    reported: timedelta = timedelta(days=3)
    code_pause: timedelta = timedelta(seconds=15)
    told: Told = Told.DELIVERED
    untold: Untold = Untold.BLOCK
    hold_days: int = 14
    wordings: Mapping[str, Wording] = field(default_factory=wordings, repr=False)

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > 30 or safe(self.name) != self.name:
            raise NoticeTermsError("The name of the office is empty, long or not plain.", "30 characters.")
        if not _SHORT_CODE.fullmatch(self.short_code):
            raise NoticeTermsError("The short code is none that can be dialled.", "Like *123# or 1234.")
        if not self.days or min(self.days) < 1 or len(set(self.days)) != len(self.days):
            raise NoticeTermsError("The days before a block are 1 or more, each once.", "Like 30, 7, 1.")
        unknown = ", ".join(language for language in self.languages if language not in self.wordings)
        if unknown or not self.languages:
            texts = ", ".join(self.wordings)
            raise NoticeTermsError(f"There are no texts in {unknown or 'no language'}.", f"Texts: {texts}.")
        if self.tries < 1 or self.pause <= timedelta(0) or self.longest_pause < self.pause:
            raise NoticeTermsError("A notice is tried once at least, after pauses.", "See the policy.")
        if not 1 <= self.hold_days <= _MOST_HOLD_DAYS:
            raise NoticeTermsError("A block is held back for 1 to 365 days.", "Like 14.")

    def pause_after(self, tries: int) -> timedelta:
        """How long to wait after so many tries."""
        doubled: timedelta = self.pause * (1 << min(max(tries - 1, 0), 20))
        return min(doubled, self.longest_pause)
