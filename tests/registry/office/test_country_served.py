"""`ceir init` and `ceir serve` from an empty folder: real processes that lack nothing of the country."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from logging_in import PASSWORD, totp
from offices import Office, ceir, own_database, wait_for
from registry_publications import decided, imeis, publish
from test_backups import run

pytestmark = pytest.mark.slow

ZONE = "Africa/Nairobi"
NUMBER = "+2200000000042"
TACS = "TAC|Manufacturer|Model Name|Device Type|SIMSlot\n35675904|Oppo|N1|Smartphone|2\n"
NOTICES = """
name = "Office"
short_code = "*123#"
quiet = {{ begin = 21:00:00, end = 08:00:00 }}
[[gateways]]
name = "trial"
kind = "console"
[gateways.options]
file = "{shown}"
"""


@dataclass
class Register:
    """An office at work, an administrator's browser, and where messages to phones are shown."""

    office: Office
    browser: httpx.Client
    shown: Path

    def press(self, path: str, **typed: object) -> httpx.Response:
        """A form of the office's pages, filled in."""
        page = self.browser.get(path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token is not None, page.text
        return self.browser.post(path, data={"csrfmiddlewaretoken": token[1], **typed})

    def enter(self, kind: str, code: str) -> None:
        form = {"kind": kind, "code": code, "name": code, "place": ""}
        assert self.press("/admin/organisations/organisation/begin/enter/", **form).status_code == 302

    def program(self, organisation: str, role: str, *scopes: str) -> httpx.Client:
        """A program of an organisation, as its administrator makes it, with its token."""
        path = "/admin/accounts/client/begin/make/"
        option = re.search(rf'<option value="(\d+)">[^<]*\b{organisation}\b', self.browser.get(path).text)
        assert option is not None
        made = self.press(path, organisation=option[1], name=role, role=role, scopes=list(scopes))
        found = re.search(r"client_id: (\S+)\nclient_secret: ([\w-]+)", made.text)
        assert found is not None, made.text
        base = f"http://127.0.0.1:{self.office.port}/api/v1/"
        answer = httpx.post(
            f"{base}token", data={"grant_type": "client_credentials"}, auth=(found[1], found[2]), timeout=60
        )
        assert answer.status_code == 200, answer.text
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return httpx.Client(base_url=base, headers=bearer, timeout=60)

    def code(self, number: str) -> str:
        """The one-time code that a worker sent to a phone."""
        wait_for(lambda: self.shown.exists() and number.lstrip("+") in self.shown.read_text(), "a code came")
        last = json.loads(self.shown.read_text().splitlines()[-1])
        code = re.search(r"\b\d{6}\b", last["text"])
        assert code is not None, last
        return code[0]


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Register]:
    folder = tmp_path_factory.mktemp("empty")
    here, shown = folder / "here", folder / "phones"
    with own_database("ceir_country") as settings:
        ceir("init", "here", "--time-zone", ZONE, settings=settings, folder=folder)
        (here / "notices.toml").write_text(NOTICES.format(shown=shown), encoding="utf-8")
        office = Office(here, settings)
        try:
            ceir("createadmin", "amina", "--password-stdin", settings=settings, folder=here,
                 told=PASSWORD + "\n")  # fmt: skip
            with httpx.Client(base_url=f"http://127.0.0.1:{office.port}", timeout=60) as browser:
                made = Register(office, browser, shown)
                set_up = "/account/second-factor/set-up/"
                made.press("/account/login/", login="amina", password=PASSWORD)
                key = re.search(r"<code dir=\"ltr\">([A-Z2-7 ]+)</code>", browser.get(set_up).text)
                assert key is not None
                made.press(set_up, code=totp(key[1].replace(" ", "")))
                token = browser.cookies["ceir-csrf"]
                browser.post(set_up, data={"csrfmiddlewaretoken": token, "kept": "yes"})
                assert browser.get("/admin/").status_code == 200
                yield made
        finally:
            office.end()


@pytest.fixture(scope="module")
def officer(register: Register) -> Iterator[httpx.Client]:
    scopes = ("release.manage", "release.read", "appeal.make", "appeal.examine", "status.read")
    with register.program("Regulator", "officer", *scopes) as client:
        yield client


def answered(answer: httpx.Response, status: int) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def test_a_release_is_planned_and_its_page_shows_the_clock_of_the_country(
    register: Register, officer: httpx.Client, tmp_path: Path
) -> None:
    office = register.office
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    made_run = publish(tmp_path / "run", 1, [decided(one) for one in imeis(20)], as_of=yesterday)
    ceir("apply", str(made_run), settings=office.settings, folder=office.folder)
    made = answered(officer.post("releases", json={"run": 1, "reason": "newly blocked"}), 201)
    assert [stage["share"] for stage in made["stages"]] == [0.01, 0.1, 1.0]
    assert made["planned_at"].endswith("Z"), "programs are told UTC"
    # The administrator's role sees no releases; what he sees of accounts has the same clock.
    page = register.browser.get("/admin/accounts/account/").text
    local = datetime.now(ZoneInfo(ZONE))
    hours = {f"{(local - timedelta(minutes=m)).hour % 12 or 12}" for m in (0, 5, 10)}
    assert re.search(rf"{local.year}, ({'|'.join(hours)})(:\d\d)? [ap]\.m\.", page), page


def test_an_appeal_is_filed_with_a_code_that_a_worker_sent(register: Register, officer: httpx.Client) -> None:
    wanted = {"purpose": "appeal", "msisdn": NUMBER}
    answered(officer.post("codes", json=wanted), 202)
    proof = answered(officer.post("codes/proof", json={**wanted, "code": register.code(NUMBER)}), 201)
    appeal = {
        "identity": imeis(1)[0],
        "condition": "unallocated",
        "why": "I have the bill",
        "proof": {"code": proof["code"], "msisdn": NUMBER},
    }
    made = answered(officer.post("appeals", json=appeal), 201)
    decide_by, made_at = (datetime.fromisoformat(made[key]) for key in ("decide_by", "made_at"))
    assert decide_by - made_at == timedelta(days=15)


def test_an_operator_of_the_policy_tells_a_line(register: Register) -> None:
    register.enter("operator", "operator1")
    line = {"msisdn": "+2200000000043", "imsi": "111010000000043"}
    with register.program("operator1", "operator", "subscriber.report") as operator:
        answered(operator.post("subscribers/lines", json=line), 200)
        foreign = operator.post("subscribers/lines", json={**line, "imsi": "999990000000043"})
        assert 400 <= foreign.status_code < 500, foreign.text


def test_a_model_is_looked_up_once_the_list_was_taken_over(
    register: Register, officer: httpx.Client, tmp_path: Path
) -> None:
    office = register.office
    assert answered(officer.get("tac/35675904"), 404)["code"] == "not_found"
    (tmp_path / "tac.txt").write_text(TACS, encoding="utf-8")
    ceir("references", "--tacs", str(tmp_path / "tac.txt"), settings=office.settings, folder=office.folder)
    assert answered(officer.get("tac/35675904"), 200)["manufacturer"] == "Oppo"


def test_what_appeals_taught_is_written_with_its_columns(register: Register) -> None:
    office, file = register.office, register.office.folder / "labels.csv"
    line = ("labels", str(file), "--since", "2026-01-01")
    assert "0 labels" in ceir(*line, settings=office.settings, folder=office.folder).stdout
    assert file.read_text(encoding="utf-8") == "imei,condition,run,label\n"
    swept = ceir("labels", "lists/labels.csv", settings=office.settings, folder=office.folder, code=2)
    assert "folder of the workspace itself" in " ".join(swept.stderr.split())


SHOW = """
from ceir.cli._register import open_register
from ceir.cli._session import Session
open_register(Session(as_json=True, debug=True))
from django.conf import settings as s
print(s.CEIR_API_PER_MINUTE, s.CEIR_WEBHOOKS_PRIVATE, s.CEIR_EXEMPT_DEVICE_TYPES[:2], s.TIME_ZONE)
from ceir.registry.country.given import country
print(sorted(country().plmns), country().for_appeals().days)
"""


def test_settings_of_the_machine_and_files_elsewhere_are_obeyed(register: Register, tmp_path: Path) -> None:
    office, file = register.office, tmp_path / "other.toml"
    file.write_text('time_zone = "Asia/Kathmandu"\n[appeals]\ndays = 3\n', encoding="utf-8")
    more = {"CEIR_API_PER_MINUTE": "7", "CEIR_WEBHOOKS_PRIVATE": "yes", "CEIR_COUNTRY": str(file)}
    assert run(SHOW, office.folder, {**office.settings, **more}).splitlines() == [
        "7 True ('Modem', 'Module') Asia/Kathmandu",
        "['operator1', 'operator2', 'operator3', 'operator4'] 3",
    ]


def test_a_fault_in_the_country_s_file_is_told_and_nothing_starts(register: Register) -> None:
    office, file = register.office, register.office.folder / "country.toml"
    before = file.read_text(encoding="utf-8")
    try:
        file.write_text(before.replace("traveller_days = 120", "traveller_days = 0"), encoding="utf-8")
        refused = ceir("serve", "--examine", settings=office.settings, folder=office.folder, code=2)
        assert "country.toml: `registrations.traveller_days`" in " ".join(refused.stderr.split())
    finally:
        file.write_text(before, encoding="utf-8")
    shown = ceir("country", "--json", settings=office.settings, folder=office.folder).stdout
    assert json.loads(shown)["country"]["time_zone"] == ZONE
