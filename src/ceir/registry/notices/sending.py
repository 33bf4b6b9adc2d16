"""Sending notices that are due: each is claimed before it is handed over, so that none goes out twice."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from ceir.identifiers import Msisdn
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.gateways import Gateway, Message, Outcome, Sent
from ceir.registry.notices.concluding import conclude, pause_of
from ceir.registry.notices.models import (
    Event,
    Notice,
    NoticeState,
    Part,
    Preference,
    Rank,
    Sending,
)
from ceir.registry.notices.reports import settle
from ceir.registry.notices.terms import NoticeTerms
from ceir.registry.notices.wording import Told, render, render_matter
from ceir.registry.personal.fields import Access
from ceir.registry.personal.reading import reading
from ceir.registry.releases.models import Hold
from ceir.registry.runs.models import Contact, Decision
from ceir.registry.runs.models import Outcome as Outcomes

BASIS = "notice before a block"
_NOBODY = "nobody is left to be told"


@dataclass(frozen=True)
class Route:
    """Where messages go.

    Args:
        name: of the gateway, as receipts are matched by it; two message centres have two names.
        operators: ids of the operators whose subscribers it reaches; none: everybody's.
        besides: ids of operators whose subscribers others reach.
        rest: whether it also takes what is for no operator's subscriber: codes, answers to people.
        address: of mail, with `{number}` in it; empty: numbers are addresses themselves.
    """

    name: str
    gateway: Gateway
    operators: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    rest: bool = True
    address: str = ""

    @property
    def takes(self) -> Q:
        """Narrows notices to those that go this way."""
        unclaimed = Q(contact__isnull=True) if self.rest else Q(pk__in=())
        if self.operators:
            return Q(contact__operator__in=self.operators) | unclaimed
        others = Q(contact__isnull=False) & ~Q(contact__operator__in=self.besides)
        return others | unclaimed


@dataclass(frozen=True)
class Sendings:
    """What became of notices that were due.

    Args:
        quiet_until: until then nothing is sent but one-time codes; None: it is not quiet.
    """

    counts: Mapping[str, int]
    quiet_until: datetime | None = None


def send_due(
    route: Route, terms: NoticeTerms, *, actor: Actor, at: datetime, most: int = 100, codes_only: bool = False
) -> Sendings:
    """Send the notices that are due; called again until none is left.

    What somebody waits for goes first, blocks last and the nearest before others. At quiet hours only
    one-time codes go.

    A notice is claimed in one transaction, handed over outside any, and what became of it kept in another. If
    this process dies in between, the notice counts as uncertain and is not sent again: see `abandon`.

    Args:
        most: at one time.
        codes_only: nothing else is looked at.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    require(actor, Permission.NOTICE_SEND)
    quiet = terms.quiet.covers(at)
    counts: dict[str, int] = {}
    claimed = _claim(route, terms, actor, at, most, counts, codes_only=quiet or codes_only)
    if claimed:
        sent = _hand_over(route, [message for _, message in claimed])
        for (sending, _), one in zip(claimed, sent, strict=True):
            state = _keep(sending, one, terms, at)
            counts[state.value] = counts.get(state.value, 0) + 1
        with transaction.atomic():
            record(actor, "notice.sent", f"route:{route.name}", at=at, detail=counts)
    settle(terms, at=at)
    return Sendings(counts, terms.quiet.next_allowed(at) if quiet else None)


def abandon(terms: NoticeTerms, *, actor: Actor, at: datetime) -> int:
    """Count notices whose sending was never answered for as uncertain. Returns: how many.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    require(actor, Permission.NOTICE_SEND)
    with transaction.atomic():
        left = Sending.objects.select_for_update().filter(
            outcome="", at__lt=at - terms.given_up, notice__state=NoticeState.SENDING.value
        )
        keys = [sending.pk for sending in left]
        given_up = Notice.objects.filter(sendings__in=keys)
        given_up.filter(rank=Rank.ASKED_FOR.value).update(words=None)
        given_up.update(
            state=NoticeState.UNCERTAIN.value, settled_at=at, detail="its sending was never answered for"
        )
        return Sending.objects.filter(pk__in=keys).update(outcome=Outcome.UNCERTAIN.value)


def _hand_over(route: Route, messages: list[Message]) -> list[Sent]:
    """Hand over what can be sent to somebody; what stands in the place of a number may be anything."""
    right = [message for message in messages if Msisdn(message.to).is_countable]
    addressed = (
        [replace(message, to=route.address.replace("{number}", message.to)) for message in right]
        if route.address
        else right
    )
    results = dict(zip((message.reference for message in right), route.gateway.send(addressed), strict=True))
    nobodys = Sent(Outcome.REFUSED, detail="not a number that somebody can hold")
    return [results.get(message.reference, nobodys) for message in messages]


def _claim(
    route: Route,
    terms: NoticeTerms,
    actor: Actor,
    at: datetime,
    most: int,
    counts: dict[str, int],
    *,
    codes_only: bool,
) -> list[tuple[Sending, Message]]:
    """Notices that are now ours to send, with their messages; those that must not be sent are settled."""
    claimed: list[tuple[Sending, Message]] = []
    with reading():
        where = Q(state=NoticeState.WAITING.value, next_at__lte=at) & route.takes
        if codes_only:
            where &= Q(rank=Rank.ASKED_FOR.value)
        found = (
            Notice.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("contact")
            .filter(where)
            .order_by("rank", "block_on", "pk")[:most]
        )
        notices = list(found)
        decisions = {
            d.imei: d
            for d in Decision.objects.select_related("grounds").filter(imei__in={n.imei for n in notices})
        }
        preferences = _preferences(notices)
        for notice in notices:
            preference = preferences.get(bytes(notice.msisdn_key or b""))
            decision = decisions.get(notice.imei) if notice.imei is not None else None
            wrong = _withdrawn_because(notice, decision, terms, at)
            if wrong or _is_refused(notice, preference, terms):
                state = NoticeState.WITHDRAWN if wrong else NoticeState.OPTED_OUT
                conclude(notice, state, wrong, at=at)
                notice.save()
                counts[state.value] = counts.get(state.value, 0) + 1
                continue
            chosen = preference.language if preference is not None else ""
            notice.language = chosen if chosen in terms.languages else terms.languages[0]
            notice.turn(NoticeState.SENDING)
            notice.tries += 1
            notice.save()
            sending = Sending.objects.create(
                notice=notice, number=notice.sendings.count() + 1, gateway=route.name, at=at
            )
            # Reading the number is recorded with the claim: whoever was told was read, whatever happens next.
            access, subject = Access(actor, at, BASIS), f"notice:{notice.pk}"
            sealed = notice.contact.msisdn if notice.contact is not None else notice.msisdn
            number = sealed.reveal(access, subject)
            text = (
                _text(notice, decision, terms)
                if notice.event == Event.BLOCK.value
                else _text_of_matter(notice, terms, notice.words.reveal(access, subject))
            )
            claimed.append((sending, Message(f"n{notice.pk}.{sending.number}", number, text, terms.name)))
    return claimed


def _is_refused(notice: Notice, preference: Preference | None, terms: NoticeTerms) -> bool:
    """Whether somebody wants no notices of blocks. What he asked for himself he is told all the same."""
    opted_out = preference is not None and preference.opted_out_at is not None
    return terms.opt_out and opted_out and notice.event == Event.BLOCK.value


def _withdrawn_because(notice: Notice, decision: Decision | None, terms: NoticeTerms, at: datetime) -> str:
    """Why what a notice would say is not so any more; empty: it is."""
    if notice.send_by is not None and notice.send_by <= at:
        return "it is too late for it"
    if notice.event != Event.BLOCK.value:
        return "" if notice.msisdn is not None and notice.words is not None else _NOBODY
    if notice.contact is None or notice.contact.msisdn is None or notice.msisdn_key is None:
        return _NOBODY
    return _not_so(notice, decision, terms, at)


def _not_so(notice: Notice, decision: Decision | None, terms: NoticeTerms, at: datetime) -> str:
    """Why a block does not come as a notice would say; empty: it does."""
    assert notice.imei is not None
    subscriber = {"imsi_key": bytes(notice.imsi_key), "msisdn_key": bytes(notice.msisdn_key)}
    seen = Contact.objects.filter(imei=notice.imei, **subscriber)
    dates = set(seen.filter(ended_run__isnull=True).values_list("block_on", flat=True))
    if decision is not None and decision.outcome == Outcomes.BLOCKED.value:
        held = Hold.objects.filter(imei=notice.imei, ended_at__isnull=True)
        if seen.filter(ended_run__gte=decision.outcome_run_id).exists():
            dates |= set(held.values_list("until", flat=True))
    if decision is None or not dates:
        return "the device is not to be blocked any more, or not seen with this subscriber"
    if notice.block_on not in dates:
        return "the block date is another one now"
    if notice.block_on <= terms.quiet.today(at):
        return "the block date has come"
    nearer = Notice.objects.filter(
        imei=notice.imei, block_on=notice.block_on, days__lt=notice.days, **subscriber
    )
    return "a later notice of the same block takes its place" if nearer.exists() else ""


def _text(notice: Notice, decision: Decision | None, terms: NoticeTerms) -> str:
    reasons = decision.grounds.reasons.split("|") if decision else []
    told = [words for reason in reasons if (words := terms.reasons.get(reason, {}).get(notice.language))]
    assert notice.imei is not None
    assert notice.block_on is not None
    return render(
        terms.wordings[notice.language],
        Told(
            name=terms.name,
            imei=notice.imei,
            text=decision.text if decision else "",
            block_on=notice.block_on,
            short_code=terms.short_code,
            code=notice.code,
            reason=told[0] if len(told) == 1 else "; ".join(told),
            opt_out=terms.opt_out,
        ),
    )


def _text_of_matter(notice: Notice, terms: NoticeTerms, words: str) -> str:
    told = json.loads(words)
    if "date" in told:
        told["date"] = terms.quiet.today(datetime.fromisoformat(told["date"])).isoformat()
    return render_matter(
        terms.wordings[notice.language],
        Event(notice.event),
        told,
        name=terms.name,
        short_code=terms.short_code,
        code=notice.code,
    )


def _preferences(notices: list[Notice]) -> dict[bytes, Preference]:
    numbers = {bytes(notice.msisdn_key) for notice in notices if notice.msisdn_key is not None}
    return {bytes(p.number): p for p in Preference.objects.filter(number__in=numbers)}


def _keep(sending: Sending, sent: Sent, terms: NoticeTerms, at: datetime) -> NoticeState:
    """Keep what became of handing a notice over."""
    with transaction.atomic():
        notice = Notice.objects.select_for_update().get(pk=sending.notice_id)
        sending.outcome, sending.detail = sent.outcome.value, sent.detail[:200]
        sending.save()
        Part.objects.bulk_create(
            Part(sending=sending, gateway=sending.gateway, identifier=identifier[:300])
            for identifier in sent.ids
        )
        if notice.state != NoticeState.SENDING.value:
            return NoticeState(notice.state)  # it was abandoned meanwhile
        if sent.outcome is Outcome.ACCEPTED:
            notice.turn(NoticeState.SENT)
            notice.sent_at = at
            if notice.rank == Rank.ASKED_FOR.value:
                notice.words = None  # a code is sent once; whoever misses it asks for another
        elif sent.outcome is Outcome.LATER and notice.tries < terms.tries:
            notice.turn(NoticeState.WAITING, sent.detail)
            notice.next_at = at + pause_of(notice, terms)
        elif sent.outcome is Outcome.UNCERTAIN:
            conclude(notice, NoticeState.UNCERTAIN, sent.detail, at=at)
        else:
            conclude(notice, NoticeState.FAILED, sent.detail, at=at)
        notice.save()
    return NoticeState(notice.state)
