"""Why a row of a list is not taken, and what checks find of those that are."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Reason(Enum):
    """Everything that can be wrong with a row, an IMEI or a TAC of a list."""

    COLUMNS = "columns"
    NOT_AN_IMEI = "not_an_imei"
    NO_CHECK_DIGIT = "no_check_digit"
    CHECK_DIGIT = "check_digit"
    PLACEHOLDER = "placeholder"
    TEST_TAC = "test_tac"
    TWICE = "twice"
    TAC_NOT_ALLOCATED = "tac_not_allocated"
    NOT_APPROVED = "not_approved"
    ON_ANOTHER = "on_another"
    SEEN = "seen"
    REGISTERED = "registered"
    STOLEN = "stolen"


class Of(Enum):
    """What a reason speaks of."""

    ROW = "row"
    """A row that is not taken."""
    IMEI = "imei"
    TAC = "tac"


@dataclass(frozen=True)
class Meaning:
    """What a reason means.

    Args:
        told: the importer is told, row by row; otherwise nothing, not even how many. Who could have lists of
            guesses checked would learn which identities others import or people use.
        kept_back: the pipeline's list does not name the IMEI, for its rule would hold the list against
            somebody who used the device before.
    """

    of: Of
    doc: str
    do: str
    told: bool = True
    kept_back: bool = False


MEANINGS: Mapping[Reason, Meaning] = {
    Reason.COLUMNS: Meaning(Of.ROW, "The row has not the columns of the header.", "Correct the row."),
    Reason.NOT_AN_IMEI: Meaning(
        Of.ROW, "Not 15 digits.", "Write all 15 digits and nothing else; store the column as text."
    ),
    Reason.NO_CHECK_DIGIT: Meaning(
        Of.ROW,
        "14 digits: the check digit is missing, or a spreadsheet dropped a leading 0.",
        "Write all 15 digits; store the column as text.",
    ),
    Reason.CHECK_DIGIT: Meaning(
        Of.ROW, "The check digit does not fit: a digit was misread.", "Compare with the label."
    ),
    Reason.PLACEHOLDER: Meaning(
        Of.ROW, "The digits are all equal or count up or down.", "Ask the maker for the real IMEI."
    ),
    Reason.TEST_TAC: Meaning(
        Of.ROW, "The TAC is set aside for test equipment.", "Ask the maker for the real IMEI."
    ),
    Reason.TWICE: Meaning(Of.ROW, "The IMEI stands in the file already.", "Two devices never share one."),
    Reason.TAC_NOT_ALLOCATED: Meaning(
        Of.TAC, "Nobody was given this TAC.", "Ask the maker; the model's TAC may be too new for the list."
    ),
    Reason.NOT_APPROVED: Meaning(
        Of.TAC, "No certificate in force covers this TAC.", "Apply for type approval, or for an extension."
    ),
    Reason.ON_ANOTHER: Meaning(
        Of.IMEI, "The IMEI is on another consignment.", "Customs will ask for papers.", told=False
    ),
    Reason.SEEN: Meaning(
        Of.IMEI,
        "A network saw the IMEI before the list came.",
        "Customs will look at the device.",
        told=False,
        kept_back=True,
    ),
    Reason.REGISTERED: Meaning(
        Of.IMEI,
        "The IMEI is registered as somebody's device.",
        "Customs will look at the device.",
        told=False,
        kept_back=True,
    ),
    Reason.STOLEN: Meaning(Of.IMEI, "The IMEI is reported stolen or lost.", "Set the device aside."),
}
"""What each reason means, and what to do."""

ROW_REASONS = frozenset(reason for reason, meaning in MEANINGS.items() if meaning.of is Of.ROW)
TAC_REASONS = frozenset(reason for reason, meaning in MEANINGS.items() if meaning.of is Of.TAC)
IMEI_REASONS = frozenset(reason for reason, meaning in MEANINGS.items() if meaning.of is Of.IMEI)
