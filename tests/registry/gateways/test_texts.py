"""Texts as short messages: the alphabet, lengths, and parts that make the text again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceir.registry.gateways._texts import DEFAULT_ALPHABET, UCS2, encode

# 3GPP TS 23.038, tables of clauses 6.2.1 and 6.2.1.1, read off by hand.
CODES = {
    "@": "00", "£": "01", "$": "02", "è": "04", "\n": "0a", "Δ": "10", "_": "11", "Ξ": "1a", "É": "1f",
    " ": "20", "¤": "24", "0": "30", "?": "3f", "¡": "40", "A": "41", "Z": "5a", "Ä": "5b", "§": "5f",
    "¿": "60", "a": "61",
    "z": "7a", "à": "7f", "€": "1b65", "[": "1b3c", "{": "1b28", "\\": "1b2f", "|": "1b40", "^": "1b14",
    "~": "1b3d", "]": "1b3e", "}": "1b29",
}  # fmt: skip


@pytest.mark.parametrize(("character", "code"), CODES.items())
def test_a_character_has_the_code_of_the_standard(character: str, code: str) -> None:
    encoded = encode(character, "n1")
    assert (encoded.coding, encoded.parts) == (DEFAULT_ALPHABET, (bytes.fromhex(code),))


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a" * 160, 1), ("a" * 161, 2), ("€" * 80, 1), ("€" * 81, 2), ("a" * 306, 2), ("a" * 307, 3),
     ("ع" * 70, 1), ("ع" * 71, 2), ("ع" * 134, 2), ("ع" * 135, 3), ("\U0001f4f5" * 35, 1),
     ("\U0001f4f5" * 36, 2), ("ç" * 70, 1)],
)  # fmt: skip
def test_a_text_has_as_few_parts_as_it_can(text: str, parts: int) -> None:
    assert len(encode(text, "n1").parts) == parts


def test_a_text_without_end_and_one_without_anything_are_refused() -> None:
    for text in ("", "ع" * 671, "a" * 1531):
        with pytest.raises(ValueError, match=r"text"):
            encode(text, "n1")


def test_no_part_begins_in_the_middle_of_a_character() -> None:
    for text in ("a" * 152 + "€" * 20, "ع" * 66 + "\U0001f4f5" * 20):
        encoded = encode(text, "n1")
        for part in encoded.parts:
            content = part[6:]
            if encoded.coding == UCS2:
                content.decode("utf-16-be")
            else:
                assert content[-1] != 0x1B
                assert len(content) <= 153


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",)), min_size=1, max_size=300))
def test_the_parts_make_the_text_again(text: str) -> None:
    encoded = encode(text, "n1")
    whole = b"".join(part[6:] if encoded.headed else part for part in encoded.parts)
    if encoded.coding == UCS2:
        assert whole.decode("utf-16-be") == text
    assert all(len(part) <= (140 if encoded.coding == UCS2 else 160) for part in encoded.parts)
    if encoded.headed:
        assert [part[4:6] for part in encoded.parts] == [
            bytes([len(encoded.parts), n]) for n in range(1, len(encoded.parts) + 1)
        ]
