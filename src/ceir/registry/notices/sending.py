"""Sending notices that are due: each is claimed before it is handed over, so that none goes out twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from ceir.identifiers import Msisdn
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.gateways import Gateway, Message, Outcome, Sent
from ceir.registry.notices.models import (
    Notice,
    NoticeState,
    Part,
    Preference,
    Sending,
)
from ceir.registry.notices.reports import settle
from ceir.registry.notices.terms import NoticeTerms
from ceir.registry.notices.wording import Told, render, wordings
from ceir.registry.personal.fields import Access
from ceir.registry.runs.models import Contact, Decision

BASIS = "notice before a block"


@dataclass(frozen=True)
class Route:
    """Where messages go.

    Args:
        name: of the gateway, as receipts are matched by it; two message centres have two names.
        operators: ids of the operators whose subscribers it reaches; none: everybody's.
    """

    name: str
    gateway: Gateway
    operators: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sendings:
    """What became of notices that were due.

    Args:
        quiet_until: nothing was sent, for it is quiet until then.
    """

    counts: Mapping[str, int]
    quiet_until: datetime | None = None


def send_due(route: Route, terms: NoticeTerms, *, actor: Actor, at: datetime, most: int = 100) -> Sendings:
    """Send the notices that are due, those nearest to their block first; called again until none is left.

    A notice is claimed in one transaction, handed over outside any, and what became of it kept in another. If
    this process dies in between, the notice counts as uncertain and is not sent again: see `abandon`.

    Args:
        most: at one time.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    require(actor, Permission.NOTICE_SEND)
    if terms.quiet.covers(at):
        return Sendings({}, terms.quiet.next_allowed(at))
    counts: dict[str, int] = {}
    claimed = _claim(route, terms, actor, at, most, counts)
    if claimed:
        sent = _hand_over(route.gateway, [message for _, message in claimed])
        for (sending, _), one in zip(claimed, sent, strict=True):
            state = _keep(sending, one, terms, at)
            counts[state.value] = counts.get(state.value, 0) + 1
        with transaction.atomic():
            record(actor, "notice.sent", f"route:{route.name}", at=at, detail=counts)
    settle(terms, at=at)
    return Sendings(counts)


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
        Notice.objects.filter(sendings__in=keys).update(
            state=NoticeState.UNCERTAIN.value, settled_at=at, detail="its sending was never answered for"
        )
        return Sending.objects.filter(pk__in=keys).update(outcome=Outcome.UNCERTAIN.value)


def _hand_over(gateway: Gateway, messages: list[Message]) -> list[Sent]:
    """Hand over what can be sent to somebody; what stands in the place of a number may be anything."""
    right = [message for message in messages if Msisdn(message.to).is_countable]
    results = dict(zip((message.reference for message in right), gateway.send(right), strict=True))
    nobodys = Sent(Outcome.REFUSED, detail="not a number that somebody can hold")
    return [results.get(message.reference, nobodys) for message in messages]


def _claim(
    route: Route, terms: NoticeTerms, actor: Actor, at: datetime, most: int, counts: dict[str, int]
) -> list[tuple[Sending, Message]]:
    """Notices that are now ours to send, with their messages; those that must not be sent are settled."""
    claimed: list[tuple[Sending, Message]] = []
    with transaction.atomic():
        where = Q(state=NoticeState.WAITING.value, next_at__lte=at)
        if route.operators:
            where &= Q(contact__operator__in=route.operators)
        found = (
            Notice.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("contact")
            .filter(where)
            .order_by("block_on", "next_at", "pk")[:most]
        )
        notices = list(found)
        decisions = {
            d.imei: d
            for d in Decision.objects.select_related("grounds").filter(imei__in={n.imei for n in notices})
        }
        preferences = _preferences(notices)
        for notice in notices:
            preference = preferences.get(bytes(notice.msisdn_key))
            decision = decisions.get(notice.imei)
            wrong = _withdrawn_because(notice, decision, terms, at)
            if wrong or (terms.opt_out and preference is not None and preference.opted_out_at is not None):
                state = NoticeState.WITHDRAWN if wrong else NoticeState.OPTED_OUT
                notice.turn(state, wrong)
                notice.settled_at = at
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
            number = notice.contact.msisdn.reveal(Access(actor, at, BASIS), f"notice:{notice.pk}")
            text = _text(notice, decision, terms)
            claimed.append((sending, Message(f"n{notice.pk}.{sending.number}", number, text)))
    return claimed


def _withdrawn_because(notice: Notice, decision: Decision | None, terms: NoticeTerms, at: datetime) -> str:
    """Why what a notice would say is not so any more; empty: it is."""
    subscriber = {"imsi_key": bytes(notice.imsi_key), "msisdn_key": bytes(notice.msisdn_key)}
    seen = Contact.objects.filter(imei=notice.imei, ended_run__isnull=True, **subscriber)
    dates = set(seen.values_list("block_on", flat=True))
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
    return render(
        wordings()[notice.language],
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


def _preferences(notices: list[Notice]) -> dict[bytes, Preference]:
    numbers = {bytes(notice.msisdn_key) for notice in notices}
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
        elif sent.outcome is Outcome.LATER and notice.tries < terms.tries:
            notice.turn(NoticeState.WAITING, sent.detail)
            notice.next_at = at + terms.pause_after(notice.tries)
        elif sent.outcome is Outcome.UNCERTAIN:
            notice.turn(NoticeState.UNCERTAIN, sent.detail)
            notice.settled_at = at
        else:
            notice.turn(NoticeState.FAILED, sent.detail)
            notice.settled_at = at
        notice.save()
    return NoticeState(notice.state)
