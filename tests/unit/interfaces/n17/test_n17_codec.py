import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceir.equipment_check import Question
from ceir.interfaces.n17.codec import QueryRefusedError, common_values, parse_query
from vectors import VECTORS

IMEI = "352099001761481"
DIGITS = st.text(string.digits, min_size=0, max_size=17)


def refused(query: str) -> tuple[int, str, str | None]:
    with pytest.raises(QueryRefusedError) as caught:
        parse_query(query)
    problem = caught.value.problem
    assert problem.cause is not None
    return problem.status, problem.cause.value, problem.parameter


def read(query: str) -> tuple[Question | None, QueryRefusedError | None]:
    try:
        return parse_query(query).question, None
    except QueryRefusedError as refusal:
        return None, refusal


@pytest.mark.parametrize(
    ("query", "question"),
    [
        ("pei=imei-352099001761481", Question(35209900176148)),
        ("pei=imei-352099001761480", Question(35209900176148)),
        ("pei=imei-35209900176148", Question(35209900176148)),
        ("pei=imei-000000000000000", Question(0)),
        ("pei=imeisv-3520990017614807", Question(35209900176148, 7)),
        ("pei=imeisv-3520990017614899", Question(35209900176148, 99)),
        ("pei=mac-00-11-22-aa-BB-cc", Question(None)),
        ("pei=mac-00-11-22-aa-BB-cc-untrusted", Question(None)),
        ("pei=eui-00-11-22-33-44-55-66-77", Question(None)),
        ("pei=something-of-release-21", Question(None)),
        (
            "supi=imsi-001010123456789&pei=imei-352099001761481",
            Question(35209900176148, None, 1001010123456789),
        ),
        ("pei=imei-352099001761481&supi=imsi-26201", Question(35209900176148, None, 126201)),
        ("pei=imei-352099001761481&supi=nai-user%40example.org", Question(35209900176148)),
        ("pei=imei-352099001761481&supi=gci-1", Question(35209900176148)),
        ("pei=imei-352099001761481&gpsi=msisdn-4917012345678", Question(35209900176148)),
        ("pei=imei-352099001761481&gpsi=extid-a@example.org", Question(35209900176148)),
        ("pei=imei-352099001761481&supported-features=", Question(35209900176148)),
        ("%70ei=%69mei%2D352099001761481", Question(35209900176148)),
    ],
)
def test_every_form_of_an_identity_becomes_the_question_that_it_asks(query: str, question: Question) -> None:
    assert parse_query(query).question == question


@pytest.mark.parametrize(
    ("query", "cause", "parameter"),
    [
        ("", "MANDATORY_QUERY_PARAM_MISSING", "pei"),
        ("supi=imsi-001010123456789", "MANDATORY_QUERY_PARAM_MISSING", "pei"),
        ("pei=", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei=imei-3520990017614812", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei=imei-3520990017614", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei=imei-35209900176148f", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei=imeisv-352099001761480", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei=imeisv-", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei=mac-00-11-22-aa-BB", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei=eui-00-11-22-33-44-55-66-77-untrusted", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei=imei-%D9%A1%D9%A2%D9%A3456789012345", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei=imei-352099001761481%0a", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei=imei-352099001761481%00", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei=imei-352099001761481%", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei=imei-352099001761481%4", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei=imei-352099001761481%zz", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei=x%ff", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei=x%c0%80", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei=ü", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        ("pei=imei-352099001761481&pei=imei-352099001761481", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        (f"pei=imei-{IMEI}&supi=imsi-1234", "OPTIONAL_QUERY_PARAM_INCORRECT", "supi"),
        (f"pei=imei-{IMEI}&supi=imsi-1234567890123456", "OPTIONAL_QUERY_PARAM_INCORRECT", "supi"),
        (f"pei=imei-{IMEI}&supi=imsi-00101012345678a", "OPTIONAL_QUERY_PARAM_INCORRECT", "supi"),
        (f"pei=imei-{IMEI}&supi=nai-", "OPTIONAL_QUERY_PARAM_INCORRECT", "supi"),
        (f"pei=imei-{IMEI}&supi=", "OPTIONAL_QUERY_PARAM_INCORRECT", "supi"),
        (f"pei=imei-{IMEI}&supi=imsi-12345&supi=imsi-12345", "OPTIONAL_QUERY_PARAM_INCORRECT", "supi"),
        (f"pei=imei-{IMEI}&gpsi=msisdn-1234", "OPTIONAL_QUERY_PARAM_INCORRECT", "gpsi"),
        (f"pei=imei-{IMEI}&gpsi=extid-nobody", "OPTIONAL_QUERY_PARAM_INCORRECT", "gpsi"),
        (f"pei=imei-{IMEI}&gpsi=", "OPTIONAL_QUERY_PARAM_INCORRECT", "gpsi"),
        (f"pei=imei-{IMEI}&supported-features=0x1", "OPTIONAL_QUERY_PARAM_INCORRECT", "supported-features"),
        (f"pei=imei-{IMEI}&PEI=1", "INVALID_QUERY_PARAM", None),
        (f"pei=imei-{IMEI}&", "INVALID_QUERY_PARAM", None),
        (f"&pei=imei-{IMEI}", "INVALID_QUERY_PARAM", None),
        (f"pei=imei-{IMEI};supi=imsi-12345", "MANDATORY_QUERY_PARAM_INCORRECT", "pei"),
        (f"pei=imei-{IMEI}&%ff=1", "INVALID_QUERY_PARAM", None),
        ("imei=352099001761481", "INVALID_QUERY_PARAM", None),
    ],
)
def test_a_query_that_the_api_does_not_define_is_refused_with_the_standard_cause(
    query: str, cause: str, parameter: str | None
) -> None:
    assert refused(query) == (400, cause, parameter)


def test_a_refusal_repeats_nothing_of_the_request() -> None:
    with pytest.raises(QueryRefusedError) as caught:
        parse_query("pei=imei-3520990017614812&supi=imsi-001010123456789")
    assert b"35209" not in caught.value.problem.body
    assert "35209" not in str(caught.value)


def test_features_of_the_consumer_are_read_as_a_bit_mask() -> None:
    assert parse_query(f"pei=imei-{IMEI}&supported-features=A1").features == 0xA1
    assert parse_query(f"pei=imei-{IMEI}&supported-features=").features == 0
    assert parse_query(f"pei=imei-{IMEI}").features is None


@given(kind=st.sampled_from(["imei", "imeisv", "mac", "IMEI", ""]), digits=DIGITS, imsi=st.none() | DIGITS)
def test_the_fast_reading_agrees_with_the_whole_grammar(kind: str, digits: str, imsi: str | None) -> None:
    query = f"pei={kind}-{digits}" + ("" if imsi is None else f"&supi=imsi-{imsi}")
    fast = common_values(query)
    if fast is not None:
        assert fast == parse_query(query).question
    else:
        right_length = (kind, len(digits)) in {("imei", 15), ("imeisv", 16)}
        assert not right_length or (imsi is not None and not 5 <= len(imsi) <= 15)


@given(st.text())
def test_the_fast_reading_takes_nothing_that_the_grammar_refuses(query: str) -> None:
    fast = common_values(query)
    assert fast is None or fast == parse_query(query).question


@given(
    st.text("pei=&supimscdxt-0123456789%2DF+@\u0663\x00", max_size=60)
    | st.from_regex(r"(pei|supi|gpsi)=(imei|imeisv|mac|eui|imsi)-.*(&(supi|gpsi|supported-features)=.*)?")
)
def test_any_text_is_either_a_question_or_refused(query: str) -> None:
    question, refusal = read(query)
    if question is None:
        assert refusal is not None
        assert refusal.problem.status == 400
        assert refusal.problem.body.startswith(b"{")
        return
    assert question.imei is None or 0 <= question.imei < 10**14
    assert question.software_version is None or 0 <= question.software_version <= 99
    assert question.imsi is None or 10**5 <= question.imsi < 2 * 10**15


@given(st.text(min_size=1))
def test_any_percent_encoded_value_of_an_open_form_is_taken_or_refused_without_failing(text: str) -> None:
    try:
        encoded = quote(text, safe="")
    except UnicodeEncodeError:
        return
    _, refusal = read(f"pei=imei-{IMEI}&supi=nai-{encoded}")
    assert refusal is None or refusal.problem.parameter == "supi"


@pytest.mark.parametrize("question", [question for question, _ in VECTORS])
def test_the_shared_questions_survive_the_wire(question: Question) -> None:
    pei = (
        f"imei-{question.imei:014}0"
        if question.software_version is None
        else f"imeisv-{question.imei:014}{question.software_version:02}"
    )
    query = f"pei={pei}" + ("" if question.imsi is None else f"&supi=imsi-{str(question.imsi)[1:]}")
    assert common_values(query) == question
    assert parse_query(query).question == question
