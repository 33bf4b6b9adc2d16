from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class ReportingBody:
    """An organisation whose two-digit code opens the type allocation codes it hands or handed out.

    Args:
        code: two digits.
        name: the organisation, or what the code is set aside for.
        country: where it is; empty for a code that is not a country's.
        allocating: False for a body that no longer allocates; its equipment is old.

    Source: GSMA TS.06 annex A, as publicly quoted; TS 23.003 clause 6.3 refers to it.
    """

    code: str
    name: str
    country: str = ""
    allocating: bool = True

    def __str__(self) -> str:
        return f"{self.name}, {self.country}" if self.country else self.name


_TEST_3_DIGIT_COUNTRY = "Test equipment (countries with a 3-digit country code)"

REPORTING_BODIES: tuple[ReportingBody, ...] = (
    ReportingBody("00", "Test equipment (countries with a 2-digit country code)"),
    ReportingBody("01", "CTIA (PTCRB)", "United States"),
    *(ReportingBody(f"{code:02}", _TEST_3_DIGIT_COUNTRY) for code in range(2, 10)),
    ReportingBody("10", "DECT devices", allocating=False),
    ReportingBody("30", "Iridium", "United States", allocating=False),
    ReportingBody("33", "DGPT", "France", allocating=False),
    ReportingBody("35", "TÜV SÜD (BABT)", "United Kingdom"),
    ReportingBody("44", "BABT", "United Kingdom", allocating=False),
    ReportingBody("45", "NTA", "Denmark", allocating=False),
    ReportingBody("49", "BZT / BAPT", "Germany", allocating=False),
    ReportingBody("50", "BZT ETS", "Germany", allocating=False),
    ReportingBody("51", "Cetecom ICT", "Germany", allocating=False),
    ReportingBody("52", "Cetecom", "Germany", allocating=False),
    ReportingBody("53", "TÜV", "Germany", allocating=False),
    ReportingBody("54", "Phoenix Test-Lab", "Germany", allocating=False),
    ReportingBody("86", "TAF", "China"),
    ReportingBody("91", "MSAI", "India", allocating=False),
    ReportingBody("99", "Global Hexadecimal Administrator (3GPP2 and 3GPP equipment)"),
)
"""The codes whose holder public quotations of TS.06 agree on; 98 is left out because they do not."""

_BY_CODE = MappingProxyType({body.code: body for body in REPORTING_BODIES})


def reporting_body(code: str) -> ReportingBody | None:
    """The body behind the first two digits of a TAC; None when no public source names it.

    None is no proof of forgery: bodies are added, and the absence of a TAC from the TAC list is what counts.
    """
    return _BY_CODE.get(code)
