import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceir.identifiers import (
    ALL_TECHNOLOGIES_MASK,
    CAPABILITY_TOKENS,
    GENERATION_MASKS,
    TECHNOLOGIES,
    Generation,
    InvalidIdentifierError,
    RadioTechnology,
    codes_of_mask,
    describe,
    generation_mask,
    generations_of_bands,
    mask_of_codes,
)

MASKS = st.integers(0, ALL_TECHNOLOGIES_MASK)


def test_bits_number_the_technologies_in_order_because_tables_store_them() -> None:
    numbers = [*range(1, 11), *range(101, 106)]
    assert [technology.bit for technology in TECHNOLOGIES] == list(range(15))
    assert [technology.code for technology in TECHNOLOGIES] == [f"{number:03}" for number in numbers]
    # non-cellular 1, 2G 2, 3G 4, 4G 8, 5G 16
    generations = [4, 2, 1, 1, 4, 8, 1, 8, 8, 16, 8, 4, 4, 2, 8]
    assert [int(technology.generation) for technology in TECHNOLOGIES] == generations


@given(MASKS)
def test_a_mask_survives_being_written_as_codes(mask: int) -> None:
    assert mask_of_codes(codes_of_mask(mask)) == mask


@given(st.lists(st.sampled_from(TECHNOLOGIES)))
def test_order_and_repetition_of_codes_do_not_count(technologies: list[RadioTechnology]) -> None:
    codes = [technology.code for technology in technologies]
    assert mask_of_codes("|".join(codes)) == mask_of_codes("|".join(sorted(set(codes))))


@given(MASKS, MASKS)
def test_generations_of_two_masks_together_are_those_of_each(one: int, other: int) -> None:
    assert generation_mask(one | other) == generation_mask(one) | generation_mask(other)


def test_each_technology_belongs_to_the_mask_of_one_generation() -> None:
    assert sum(GENERATION_MASKS.values()) == ALL_TECHNOLOGIES_MASK
    assert set(GENERATION_MASKS) == set(Generation)
    for generation, bits in GENERATION_MASKS.items():
        assert generation_mask(bits) == generation


def test_codes_become_bits_and_generations() -> None:
    assert mask_of_codes("002|006") == 0b100010
    assert generation_mask(mask_of_codes("002|006")) == Generation.G2 | Generation.G4
    assert mask_of_codes("") == 0
    assert codes_of_mask(0) == ""
    assert generation_mask(0) == 0


@pytest.mark.parametrize("text", ["011", "2", "02", "002|", "|", "002,006", "002| 006", "0002", "²"])
def test_an_unknown_code_is_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        mask_of_codes(text)


@pytest.mark.parametrize("mask", [-1, 1 << 15])
def test_an_unknown_bit_is_refused(mask: int) -> None:
    for function in (codes_of_mask, generation_mask, describe):
        with pytest.raises(InvalidIdentifierError):
            function(mask)


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (0, "none"),
        (Generation.G2 | Generation.G4, "2G, 4G"),
        (Generation.NON_CELLULAR, "non-cellular"),
        (31, "2G, 3G, 4G, 5G, non-cellular"),
    ],
)
def test_generations_are_described_oldest_first(mask: int, words: str) -> None:
    assert describe(mask) == words


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        ("", None),
        ("  ", None),
        ("GSM 900", Generation.G2),
        ("gsm 1800,wcdma fdd band i,lte fdd band 3", Generation.G2 | Generation.G3 | Generation.G4),
        ("WCDMA", Generation.G3),
        ("TDS-CDMA", Generation.G3),
        ("X CDMA 800", Generation.G2),
        ("CDMA 800", Generation.G2),
        ("CDMA2000", Generation.G3),
        ("WiMAX", Generation.G4),
        ("CA_3A-7A", Generation.G4),
        ("DC_1A_n78", Generation.G4),
        ("5G", Generation.G5),
        ("NR n78", Generation.G5),
        ("LTE FDD BAND 1,NR78", Generation.G4 | Generation.G5),
        ("LTE NR78", Generation.G4 | Generation.G5),
        ("ENR", None),
        ("Bluetooth", Generation.NON_CELLULAR),
        ("Not Known", None),
    ],
)
def test_bands_tell_the_generations(bands: str, expected: Generation | None) -> None:
    assert generations_of_bands(bands) == expected


@given(
    st.text(),
    st.sampled_from([token for tokens in CAPABILITY_TOKENS.values() for token in tokens]),
    st.text(),
)
def test_a_token_counts_wherever_it_stands(before: str, token: str, after: str) -> None:
    found = generations_of_bands(before + token.lower() + after)
    assert found is not None
    assert all(found & generation for generation, tokens in CAPABILITY_TOKENS.items() if token in tokens)
