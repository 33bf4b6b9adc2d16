"""Notices through a real message centre, with its receipts; and several senders at the same time."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as hour
from functools import partial
from pathlib import Path

import pytest
from at_once import at_once
from django.db import connection
from drawn import counted_draw
from message_centre import Centre, running_centre
from people import NOW
from registry_publications import decided, imeis, publish, told

from ceir.registry.actors import SYSTEM
from ceir.registry.audit.chain import verify
from ceir.registry.gateways import Gateway, Incoming, Receipt, open_gateway
from ceir.registry.notices.models import Notice, Preference
from ceir.registry.notices.planning import plan_notices
from ceir.registry.notices.reports import keeper, settle
from ceir.registry.notices.sending import Route, Sendings, send_due
from ceir.registry.notices.terms import NoticeTerms, QuietHours
from ceir.registry.runs.applying import apply

pytestmark = pytest.mark.django_db(transaction=True)

BLOCK = date(2026, 12, 22)
AT = datetime(2026, 12, 15, 9, tzinfo=UTC)
TERMS = NoticeTerms(
    "Regulator", "*123#", QuietHours.of(hour(21), hour(8), "Africa/Nairobi"), opt_out=True, tries=2
)


def planned(folder: Path, numbers: list[str]) -> None:
    """A run in which each number is seen with a device of its own, and notices for all of them."""
    day = f"{BLOCK:%Y%m%d}"
    devices = imeis(len(numbers))
    published = publish(
        folder / "1",
        1,
        [decided(imei, "notified", day) for imei in devices],
        notifications={
            "operator1": [
                told(imei, f"11101{place:010}", number, day)
                for place, (imei, number) in enumerate(zip(devices, numbers, strict=True))
            ]
        },
    )
    apply(published, actor=SYSTEM, at=NOW)
    assert plan_notices(TERMS, draw=counted_draw(), actor=SYSTEM, at=AT) == len(numbers)


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    with running_centre(tmp_path) as found:
        yield found


def opened(centre: Centre) -> Gateway:
    """With what the register keeps receipts by; each time it gives its connection back."""
    keep = keeper("smsc", TERMS, lambda: AT)

    def and_close(found: Receipt | Incoming) -> None:
        try:
            keep(found)
        finally:
            connection.close()

    return open_gateway("smpp", centre.options(window=5), and_close, lambda: AT)


def states() -> dict[str, str]:
    """By the last two digits of the number, which say what the centre does with it."""
    found = {}
    for notice in Notice.objects.select_related("contact"):
        from ceir.registry.personal.fields import Access

        number = notice.contact.msisdn.reveal(Access(SYSTEM, AT, "a test"), "test:1")
        found[number[-2:]] = notice.state
    return found


def test_what_the_centre_does_with_each_message_is_what_its_notice_says(
    tmp_path: Path, centre: Centre
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("receipts come in another thread, which SQLite in memory does not let in")
    endings = ("00", "01", "02", "04", "06", "07", "08", "09", "15")
    planned(tmp_path, [f"2200000000{ending}" for ending in endings])
    gateway = opened(centre)
    route = Route("smsc", gateway)
    try:
        send_due(route, TERMS, actor=SYSTEM, at=AT)
        until = time.monotonic() + 20
        while True:
            settle(TERMS, at=AT)
            found = states()
            settled = all(found[ending] == "delivered" for ending in ("00", "07", "08", "09"))
            if settled and found["06"] != "sent":
                break
            assert time.monotonic() < until, found
            time.sleep(0.1)
        assert found == {
            "00": "delivered", "01": "failed", "02": "waiting", "04": "uncertain", "06": "waiting",
            "07": "delivered", "08": "delivered", "09": "delivered", "15": "sent",
        }  # fmt: skip
        # Who wrote STOP is heeded.
        while not Preference.objects.filter(number="220000000015", opted_out_at=AT).exists():
            assert time.monotonic() < until
            time.sleep(0.1)
        later = AT + timedelta(hours=1)
        send_due(route, TERMS, actor=SYSTEM, at=later)
        while states()["06"] != "undelivered":
            assert time.monotonic() < until + 20
            settle(TERMS, at=later)
            time.sleep(0.1)
        assert states()["02"] == "failed"  # throttled twice, and that was enough
        assert (
            len([s for s in centre.noted("submit") if s["to"].endswith("04")]) == 1
        )  # never answered, never again
    finally:
        gateway.close()
    verify()


def test_four_processes_that_send_at_once_send_each_notice_once(tmp_path: Path, centre: Centre) -> None:
    numbers = [f"22{n:08}00" for n in range(120)]
    planned(tmp_path, numbers)
    gateway = open_gateway("smpp", centre.options(window=5), print, lambda: AT)
    deed = partial(send_due, Route("smsc", gateway), TERMS, actor=SYSTEM, at=AT, most=40)
    try:
        results = at_once(*[deed] * 4)
    finally:
        gateway.close()
    assert [r for r in results if not isinstance(r, Sendings)] == []
    first_parts = [
        s["to"] for s in centre.noted("submit") if s["text"].startswith("050003") and s["text"][10:12] == "01"
    ]
    assert sorted(first_parts) == sorted(numbers)
    assert set(Notice.objects.values_list("state", flat=True)) == {"sent"}


def test_two_processes_that_plan_at_once_plan_each_notice_once(tmp_path: Path) -> None:
    planned(tmp_path, [f"22{n:08}00" for n in range(50)])
    later = AT + timedelta(days=6)
    deed = partial(plan_notices, TERMS, draw=counted_draw(), actor=SYSTEM, at=later)
    assert sorted(at_once(deed, deed, deed)) == [0, 0, 50]  # type: ignore[type-var]
    assert Notice.objects.count() == 100
