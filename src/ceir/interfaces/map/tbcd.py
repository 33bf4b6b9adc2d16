"""Numbers in telephony BCD (TS 29.002 17.7.8, TS 23.003): low nibble first, F fills."""

SWAP = bytes((low << 4 | high) for high in range(16) for low in range(16))
"""Translation table that exchanges the two nibbles of an octet."""


def digits(data: bytes) -> str | None:
    """The decimal digits with trailing fillers dropped; None: empty, or a nibble that is no digit."""
    text = data.translate(SWAP).hex().rstrip("f")
    return text if text.isdecimal() else None


def equipment(data: bytes) -> tuple[int | None, int | None]:
    """IMEI (first 14 digits as a number) and software version of an IMEI or IMEISV.

    15 digits carry a check or spare digit, which says nothing; 16 end with the software version.

    Returns:
        (None, None) when there are fewer than 14 digits, more than 16, or anything that is no digit.
    """
    text = data.translate(SWAP).hex().rstrip("f")
    size = len(text)
    if not 14 <= size <= 16 or not text.isdecimal():
        return None, None
    return int(text[:14]), int(text[14:]) if size == 16 else None


def subscriber(data: bytes) -> int | None:
    """An IMSI of 6 to 15 digits as int("1" + digits); None: it is none."""
    text = digits(data)
    return int("1" + text) if text is not None and 6 <= len(text) <= 15 else None


def packed(text: str) -> bytes:
    """Decimal digits as telephony BCD, an odd count closed with a filler."""
    return bytes.fromhex(text + "f" * (len(text) & 1)).translate(SWAP)
