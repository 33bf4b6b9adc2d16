"""Putting a load on a server over any interface: a flood, or requests at their times."""

import asyncio
import itertools
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from ceir.interfaces.load.calling import Caller, Clock, UnreachableError
from ceir.interfaces.load.plan import Plan
from ceir.interfaces.load.report import LoadReport
from ceir.interfaces.load.times import Times

Connect = Callable[[], Awaitable[Caller]]
"""Makes one connection, not yet ready."""

Tell = Callable[[float], None]
"""Told now and then how many seconds of the plan are over."""

_TOLD_EVERY = 0.2
_COARSE = 0.002
"""Seconds before which an event loop may be trusted to wake us: its timers are whole milliseconds."""

_FAREWELL = 1.0


async def put_load(
    connect: Connect,
    plan: Plan,
    tell: Tell | None = None,
    clock: Clock = time.perf_counter,
    processor: Clock = time.process_time,
) -> LoadReport:
    """Connects, sends, waits for the last answers, takes leave and reports.

    Args:
        connect: makes a connection of the interface.
        plan: how much.
        tell: told how far it is.
        clock: seconds of a monotonic clock.
        processor: seconds of processor time that this process took.

    Raises:
        UnreachableError: no connection, or none in time.
        PeerRefusedError: the server serves somebody else.
    """
    callers: list[Caller] = []
    try:
        for _ in range(plan.connections):
            callers.append(await _connected(connect, plan))
        spent, began = processor(), clock()
        telling = asyncio.ensure_future(_tell(tell, clock, plan)) if tell else None
        try:
            due, late = (
                await _flood(callers, plan, clock)
                if plan.rate is None
                else await _pace(callers, plan, plan.rate, clock)
            )
            await _drain(callers, plan, clock)
        finally:
            if telling is not None:
                telling.cancel()
        spent, ended = processor() - spent, clock()
        last = max(caller.last_answer for caller in callers)
        seconds = (last if last > began else ended) - began
        for caller in callers:
            caller.leave()
        await asyncio.wait([caller.gone for caller in callers], timeout=_FAREWELL)
    finally:
        for caller in callers:
            caller.abort()
    answers: Counter[str] = Counter()
    times = Times()
    for caller in callers:
        answers.update(caller.answers)
        times.absorb(caller.times)
    reports = tuple(caller.report() for caller in callers)
    sent = sum(one.sent for one in reports)
    return LoadReport(
        due=max(due, sent),
        sent=sent,
        seconds=seconds,
        answers=dict(answers),
        percentiles=times.percentiles(),
        late=late,
        processor=spent / (ended - began),
        connections=reports,
    )


async def _connected(connect: Connect, plan: Plan) -> Caller:
    caller: Caller | None = None
    good = False
    try:
        async with asyncio.timeout(plan.wait):
            caller = await connect()
            await caller.ready
        good = True
    except TimeoutError:
        raise UnreachableError(
            f"The server did not take the connection within {plan.wait:g} seconds.",
            "Is it this interface that is served there?",
        ) from None
    except ssl.SSLError as error:
        raise UnreachableError(
            f"TLS could not be agreed on: {error.reason or error}.",
            "Check the authority, the name in the server's certificate, and whether it asks for one of ours.",
        ) from error
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise UnreachableError(
            f"No connection: {reason}.", "Is the server up, and is this its port?"
        ) from error
    finally:
        if caller is not None and not good:
            caller.abort()
    return caller


async def _flood(callers: Sequence[Caller], plan: Plan, clock: Clock) -> tuple[int, float]:
    """Keeps every window full; gives nothing due and no lateness: there are no times to keep."""
    until = clock() + plan.seconds

    def refill(caller: Caller) -> None:
        now = clock()
        # Whole batches: a window that is topped up one by one makes one system call for each request.
        if now < until and caller.room * 2 >= caller.window:
            caller.ask([now] * caller.room)

    for caller in callers:
        caller.on_answers = lambda caller=caller: refill(caller)
        refill(caller)
    await asyncio.wait([caller.gone for caller in callers], timeout=plan.seconds)
    # One that is gone ends its own wait at once; the others go on until the time is over or they are, too.
    while clock() < until and any(not caller.gone.done() for caller in callers):
        left = [caller.gone for caller in callers if not caller.gone.done()]
        await asyncio.wait(left, timeout=max(0.0, until - clock()), return_when=asyncio.FIRST_COMPLETED)
    for caller in callers:
        caller.on_answers = None
    return 0, 0.0


async def _pace(callers: Sequence[Caller], plan: Plan, rate: float, clock: Clock) -> tuple[int, float]:
    """Sends each request when it is due, or as soon after as a connection has room.

    Returns: how many fell due; the longest that this client was late by its own doing.
    """
    total = int(rate * plan.seconds)
    turns = itertools.count()
    began = clock()
    until = began + plan.seconds + plan.wait
    asked, late, looked = 0, 0.0, began
    while asked < total:
        now = clock()
        due = min(total, int((now - began) * rate) + 1)
        if due > asked:
            # Late by our own doing is what fell due after our last look and is only seen now.
            late = max(late, now - max(looked, began + asked / rate))
            there = [caller for caller in callers if not caller.gone.done()]
            if not there:
                break
            asked = _spread(there, next(turns), began, asked, due, rate)
        looked = now
        if now > until:
            break
        pause = began + asked / rate - clock()
        await asyncio.sleep(pause - _COARSE if asked == due and pause > _COARSE else 0)
    return total, late


def _spread(callers: Sequence[Caller], first: int, began: float, asked: int, due: int, rate: float) -> int:
    """Deals due requests out, beginning with another connection each time; gives how many were asked."""
    count = len(callers)
    for place in range(count):
        if asked >= due:
            break
        caller = callers[(first + place) % count]
        share = min(caller.room, -(-(due - asked) // (count - place)))
        if share > 0:
            caller.ask([began + number / rate for number in range(asked, asked + share)])
            asked += share
    return asked


async def _drain(callers: Sequence[Caller], plan: Plan, clock: Clock) -> None:
    deadline = clock() + plan.wait
    while any(caller.due and not caller.gone.done() for caller in callers) and clock() < deadline:
        await asyncio.sleep(_COARSE)


async def _tell(tell: Tell, clock: Clock, plan: Plan) -> None:
    began = clock()
    while True:
        tell(min(plan.seconds, clock() - began))
        await asyncio.sleep(_TOLD_EVERY)
