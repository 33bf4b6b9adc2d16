import asyncio
import json
import logging
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceir.equipment_check import Answer, EquipmentStatus, Question, Reason
from ceir.interfaces.n17.application import N17Application
from ceir.interfaces.n17.overload import RateLimit, Readiness, all_of
from vectors import VECTORS, SetChecker

PATH = "/n5g-eir-eic/v1/equipment-status"
QUERY = "pei=imei-352099001761481"
WORDS = {
    EquipmentStatus.PERMITTED: "WHITELISTED",
    EquipmentStatus.TRACKED: "GREYLISTED",
    EquipmentStatus.BLOCKED: "BLACKLISTED",
}


@dataclass
class Asked:
    path: str = PATH
    query_string: str = QUERY
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Told:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    times: int = 0

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.body = status, dict(headers), body
        self.times += 1

    @property
    def document(self) -> dict[str, object]:
        document = json.loads(self.body)
        assert isinstance(document, dict)
        return document


def ask(application: N17Application, asked: Asked) -> Told:
    told = Told()
    asyncio.run(application.__rsgi__(asked, told))
    assert told.times == 1
    return told


def query_of(question: Question) -> str:
    pei = (
        f"imei-{question.imei:014}0"
        if question.software_version is None
        else f"imeisv-{question.imei:014}{question.software_version:02}"
    )
    return f"pei={pei}" + ("" if question.imsi is None else f"&supi=imsi-{str(question.imsi)[1:]}")


@pytest.mark.parametrize(("question", "answer"), VECTORS)
@pytest.mark.parametrize("suffix", ["", "&supported-features=0"])
def test_the_shared_answers_are_given(question: Question, answer: Answer, suffix: str) -> None:
    told = ask(N17Application(SetChecker()), Asked(query_string=query_of(question) + suffix))
    if answer.status is EquipmentStatus.UNKNOWN:
        assert told.status == 404
        assert told.headers["content-type"] == "application/problem+json"
        assert told.document["cause"] == "ERROR_EQUIPMENT_UNKNOWN"
    else:
        assert told.status == 200
        assert told.headers["content-type"] == "application/json"
        assert told.document == {"status": WORDS[answer.status]}


@pytest.mark.parametrize(
    ("path", "status", "cause"),
    [
        ("/", 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND"),
        ("", 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND"),
        ("/n5g-eir-eic/v1", 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND"),
        ("/n5g-eir-eic/v1/", 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND"),
        (PATH + "/", 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND"),
        (PATH + "/352099001761481", 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND"),
        ("/n5g-eir-eic/v1/Equipment-Status", 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND"),
        ("/n5g-eir-eic/v2/equipment-status", 400, "INVALID_API"),
        ("/namf-comm/v1/equipment-status", 400, "INVALID_API"),
    ],
)
def test_a_wrong_path_never_looks_like_unknown_equipment(path: str, status: int, cause: str) -> None:
    told = ask(N17Application(SetChecker()), Asked(path=path))
    assert (told.status, told.document["cause"]) == (status, cause)
    assert told.headers["content-type"] == "application/problem+json"


def test_a_deployment_may_put_a_prefix_before_the_api_name() -> None:
    application = N17Application(SetChecker(), api_prefix="/eir")
    assert ask(application, Asked(path="/eir" + PATH)).status == 200
    assert ask(application, Asked()).document["cause"] == "INVALID_API"


@pytest.mark.parametrize(
    "method", ["HEAD", "get", "QUERY", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT"]
)
def test_another_method_is_refused_with_the_one_allowed(method: str) -> None:
    told = ask(N17Application(SetChecker()), Asked(method=method))
    assert (told.status, told.headers["allow"]) == (405, "GET")


def test_a_uri_longer_than_allowed_is_refused_before_it_is_read() -> None:
    asked = Asked(query_string=QUERY + "&supi=nai-" + "x" * 3000)
    assert ask(N17Application(SetChecker()), asked).status == 414
    assert ask(N17Application(SetChecker(), max_uri_bytes=5000), asked).status == 200


def test_errors_name_the_instance_that_they_come_from() -> None:
    application = N17Application(SetChecker(), instance="54804518-4191-46b3-955c-ac631f953ed8")
    for asked in (
        Asked(method="PUT"),
        Asked(query_string=""),
        Asked(query_string="pei=imei-860123045678910"),
    ):
        assert ask(application, asked).headers["server"] == "5G_EIR-54804518-4191-46b3-955c-ac631f953ed8"


def test_a_new_parameter_is_refused_with_the_features_offered() -> None:
    told = ask(N17Application(SetChecker()), Asked(query_string=QUERY + "&slice=1"))
    assert (told.status, told.document["cause"]) == (400, "INVALID_QUERY_PARAM")
    assert told.document["supportedFeatures"] == "0"


def test_each_status_given_is_observed_with_its_time_and_question_and_refusals_are_not() -> None:
    seen: list[tuple[Answer, float, Question]] = []
    ticks = iter(range(100))
    application = N17Application(
        SetChecker(), observe=lambda *row: seen.append(row), stopwatch=lambda: float(next(ticks))
    )
    ask(application, Asked(query_string="pei=imeisv-3520990017615007"))
    ask(application, Asked(query_string="supi=imsi-12345&pei=imei-860123045678910"))
    ask(application, Asked(query_string=""))
    assert [(answer.status, seconds, question) for answer, seconds, question in seen] == [
        (EquipmentStatus.BLOCKED, 1.0, Question(35209900176150, 7)),
        (EquipmentStatus.UNKNOWN, 1.0, Question(86012304567891, None, 112345)),
    ]


def test_equipment_without_an_imei_gets_the_answer_for_what_has_none() -> None:
    permissive = SetChecker(malformed=Answer(EquipmentStatus.PERMITTED, Reason.MALFORMED))
    asked = Asked(query_string="pei=mac-00-11-22-33-44-55")
    assert ask(N17Application(SetChecker()), asked).document["cause"] == "ERROR_EQUIPMENT_UNKNOWN"
    assert ask(N17Application(permissive), asked).document == {"status": "WHITELISTED"}


class Failing:
    def verdict(self, imei: int | None, software_version: int | None, imsi: int | None) -> Answer:
        raise ValueError(f"secret {imei} {software_version} {imsi}")


def test_a_failure_is_a_500_and_neither_answer_nor_log_holds_the_identity(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        told = ask(N17Application(Failing()), Asked())
    assert (told.status, told.document["cause"]) == (500, "SYSTEM_FAILURE")
    assert b"35209" not in told.body
    assert "n17_request_failed" in caplog.text
    assert "35209" not in caplog.text


def test_above_the_agreed_rate_consumers_are_told_when_to_come_again() -> None:
    clock = [0.0]
    application = N17Application(SetChecker(), gate=RateLimit(2, 3, lambda: clock[0]))
    assert [ask(application, Asked()).status for _ in range(4)] == [200, 200, 200, 429]
    clock[0] = 0.5
    assert [ask(application, Asked()).status for _ in range(2)] == [200, 429]
    clock[0] = 60
    told = [ask(application, Asked()) for _ in range(4)]
    assert [one.status for one in told] == [200, 200, 200, 429]
    assert told[3].headers["retry-after"] == "1"
    assert told[3].document["cause"] == "NF_CONGESTION_RISK"


def test_without_valid_lists_nothing_is_answered() -> None:
    ready = [False]
    gate = all_of(Readiness(lambda: ready[0], retry_after=7), RateLimit(1000, 1000, lambda: 0.0))
    application = N17Application(SetChecker(), gate=gate)
    told = ask(application, Asked())
    assert (told.status, told.document["cause"], told.headers["retry-after"]) == (503, "NF_CONGESTION", "7")
    ready[0] = True
    assert ask(application, Asked()).status == 200


@given(path=st.text() | st.just(PATH), query=st.text(), method=st.text() | st.just("GET"))
def test_no_request_ends_the_application(path: str, query: str, method: str) -> None:
    told = ask(N17Application(SetChecker()), Asked(path=path, query_string=query, method=method))
    assert told.status in {200, 400, 404, 405, 414}
    if told.status == 404 and told.document["cause"] == "ERROR_EQUIPMENT_UNKNOWN":
        assert (path, method) == (PATH, "GET")
