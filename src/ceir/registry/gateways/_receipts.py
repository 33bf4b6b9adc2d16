"""What message centres say of a message: as text of a fixed form, or as numbers of their own fields."""

import re

from ceir.registry.gateways.declaration import Receipt, ReceiptState

# SMPP 3.4 appendix B; what centres add or leave out around it is not looked at.
_ID = re.compile(r"\bid:([0-9A-Za-z+/=._:-]{1,65})", re.IGNORECASE)
_STATE = re.compile(r"\bstat:([A-Za-z]{1,10})", re.IGNORECASE)
_ERROR = re.compile(r"\berr:([0-9A-Za-z]{1,10})", re.IGNORECASE)

# The first seven letters; some centres write the words out.
_BY_WORD = {
    "DELIVRD": ReceiptState.DELIVERED,
    "DELIVER": ReceiptState.DELIVERED,
    "ENROUTE": ReceiptState.ON_ITS_WAY,
    "ACCEPTD": ReceiptState.ON_ITS_WAY,
    "ACCEPTE": ReceiptState.ON_ITS_WAY,
    "EXPIRED": ReceiptState.NOT_DELIVERED,
    "UNDELIV": ReceiptState.NOT_DELIVERED,
    "UNKNOWN": ReceiptState.NOT_DELIVERED,
    "DELETED": ReceiptState.REFUSED,
    "REJECTD": ReceiptState.REFUSED,
    "REJECTE": ReceiptState.REFUSED,
}
# SMPP 3.4 clause 5.2.28
_BY_NUMBER = {
    1: ReceiptState.ON_ITS_WAY,
    2: ReceiptState.DELIVERED,
    3: ReceiptState.NOT_DELIVERED,
    4: ReceiptState.REFUSED,
    5: ReceiptState.NOT_DELIVERED,
    6: ReceiptState.ON_ITS_WAY,
    7: ReceiptState.NOT_DELIVERED,
    8: ReceiptState.REFUSED,
}


def read_receipt(text: bytes, identifier: bytes | None, state: int | None) -> Receipt | None:
    """The receipt in a message from a centre; None: it is none that can be understood.

    Args:
        text: the short message.
        identifier, state: the optional parameters receipted_message_id and message_state, if they came.
    """
    words = text.decode("latin-1")
    found_id = identifier.rstrip(b"\0").decode("latin-1") if identifier else _first(_ID, words)
    told = _BY_NUMBER.get(state) if state is not None else _BY_WORD.get(_first(_STATE, words).upper()[:7])
    if not found_id or told is None:
        return None
    error = _first(_ERROR, words)
    return Receipt(found_id, told, f"err {error}" if error.strip("0") else "")


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found.group(1) if found else ""
