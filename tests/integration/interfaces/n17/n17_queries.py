"""What the tests of this directory share."""

from ceir.equipment_check import Question
from ceir.interfaces.n17.codec import PATH, STATUS_WORDS

__all__ = ["PATH", "STATUS_WORDS", "query_of"]


def query_of(question: Question) -> str:
    """The query that an AMF asks the question with."""
    assert question.imei is not None
    pei = (
        f"imei-{question.imei:014}0"
        if question.software_version is None
        else f"imeisv-{question.imei:014}{question.software_version:02}"
    )
    return f"pei={pei}" + ("" if question.imsi is None else f"&supi=imsi-{str(question.imsi)[1:]}")
