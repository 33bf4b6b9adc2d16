import re

import numpy as np
import pytest

from ceir.testing.country.devices import IMEI_FORMS, Numbering, normalised, written
from ceir.testing.country.draws import Bytes, Draws
from ceir.testing.country.models import LARGEST_SHARE, Purpose, make_catalogue
from ceir.testing.country.spec import CountrySpec, CountrySpecError

DRAWS = Draws(seed=3)
CATALOGUE = make_catalogue(CountrySpec(tac_count=300), DRAWS)


def lines(matrix: Bytes) -> list[str]:
    return [row.tobytes().rstrip(b"\0").decode() for row in matrix]


def luhn_sum(number: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total


def test_the_check_digit_is_that_of_the_standards_example() -> None:
    # GSMA TS.06: IMEI 49 015420 323751 has check digit 8.
    assert lines(written(np.asarray([49_015_420_323_751]), np.asarray([1]))) == ["490154203237518"]


def test_every_form_of_an_imei_begins_with_its_fourteen_digits_and_ends_as_the_form_demands() -> None:
    device = np.arange(2000)
    imei = Numbering.of(CATALOGUE, 2000, DRAWS).imei(device)
    plain = lines(normalised(imei))
    assert all(re.fullmatch(r"[0-9]{14}", text) for text in plain)
    for form in range(len(IMEI_FORMS)):
        texts = lines(written(imei, np.full(2000, form)))
        assert [text[:14] for text in texts] == plain
        assert {len(text) for text in texts} == {(14, 15, 15, 16)[form]}
        if form == 1:
            assert all(luhn_sum(text) % 10 == 0 for text in texts)
        if form == 2:
            assert all(text.endswith("0") for text in texts)


def test_malformed_imeis_are_allowed_in_files_but_do_not_begin_with_fourteen_digits() -> None:
    code = -1 - np.arange(5000)
    texts = lines(normalised(code))
    raw = lines(written(code, np.arange(5000) % 4))
    assert all(re.fullmatch(r"[0-9A-Fa-f*#]{1,16}", text) for text in raw)
    assert not any(re.match(r"[0-9]{14}", text) for text in raw)
    assert [text.upper() for text in raw] == texts
    assert any(text != text.upper() for text in raw)
    # A file seems to have lost its leading zeros when too many IMEIs begin with 1.
    assert not any(text.startswith("1") for text in texts)
    for kind in ("[0-9]{8}", "[0-9]{13}", "[0-9A-F]*[A-F][0-9A-F]*", r".*\*.*", ".*#.*"):
        assert any(re.fullmatch(kind, text) for text in texts)


def test_no_two_slots_of_any_two_devices_share_an_imei() -> None:
    numbering = Numbering.of(CATALOGUE, 50_000, DRAWS)
    device = np.arange(50_000)
    imeis = np.concatenate([numbering.imei(device, 0), numbering.imei(device, 1)])
    assert len(set(imeis.tolist())) == 100_000
    assert np.isin(imeis // 10**6, CATALOGUE.tac).all()


def test_special_imeis_collide_with_no_ordinary_device() -> None:
    numbering = Numbering.of(CATALOGUE, 50_000, DRAWS)
    ordinary = numbering.imei(np.arange(50_000))
    place = np.repeat(CATALOGUE.plain_2g(), 100)
    special = numbering.special(place, np.arange(len(place)) % 100)
    assert len(set(special.tolist())) == len(special)
    assert not np.isin(special, np.concatenate([ordinary, ordinary + 1])).any()


def test_popular_models_have_many_devices_and_special_tacs_none() -> None:
    counts = Numbering.of(CATALOGUE, 100_000, DRAWS).counts
    assert counts.sum() == 100_000
    assert (counts[CATALOGUE.purpose != Purpose.ORDINARY] == 0).all()
    by_model = np.bincount(CATALOGUE.model, counts)
    assert by_model[:10].sum() > 3 * by_model[-10:].sum()


def test_a_tac_never_runs_out_of_serial_numbers() -> None:
    room = int(np.count_nonzero(CATALOGUE.weight)) * LARGEST_SHARE
    assert Numbering.of(CATALOGUE, room, DRAWS).counts.max() == LARGEST_SHARE
    with pytest.raises(CountrySpecError, match="room for"):
        Numbering.of(CATALOGUE, room + 1, DRAWS)


def test_unallocated_tacs_are_not_on_the_list_and_no_listed_tac_makes_a_test_imei_or_placeholder() -> None:
    assert len(CATALOGUE.unallocated) == len(set(CATALOGUE.unallocated.tolist())) == 40
    assert not np.isin(CATALOGUE.unallocated, CATALOGUE.tac).any()
    assert len(set(CATALOGUE.tac.tolist())) == 300
    for tac in (f"{tac:08d}" for tac in [*CATALOGUE.tac.tolist(), *CATALOGUE.unallocated.tolist()]):
        assert not tac.startswith(("0010", "0044", "0086", "0091", "1"))
        assert tac not in {"01234567", "98765432"}
        assert len(set(tac)) > 1


@pytest.mark.parametrize("seed", range(8))
def test_even_the_shortest_tac_list_has_models_for_every_purpose(seed: int) -> None:
    catalogue = make_catalogue(CountrySpec(tac_count=200), Draws(seed))
    assert all(catalogue.positions(purpose).size for purpose in Purpose)
    assert catalogue.plain_2g().size
