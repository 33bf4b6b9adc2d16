"""Identities survive: malformed ones verbatim beside their keys, numbers with their leading zeros."""

import hashlib
import itertools
import string

import pytest

from ceir.sources import all_sources

from .conftest import OBSERVED, Desk, query


def test_malformed_identities_are_kept_as_they_came_trimmed_and_in_upper_case(desk: Desk) -> None:
    texts = ["abc", "*#06#", "3567590400000", "1", "1234567A", "12345678B", "35675904 ", "aBc", "0"]
    taken = desk.take("observations", OBSERVED + "".join(f"20261005,{text},,,\n" for text in texts))
    found = {text: (tac, body) for _, text, tac, body in desk.malformed(taken)}
    assert found == {
        "ABC": (None, None),
        "*#06#": (None, None),
        "3567590400000": (35675904, 35),
        "1": (None, None),
        "1234567A": (None, 12),
        "12345678B": (12345678, 12),
        "35675904": (35675904, 35),
        "0": (None, None),
    }
    keys = [key for key, *_ in desk.malformed(taken)]
    assert all(isinstance(key, int) and -(2**62) <= key < 0 for key in keys)
    assert sorted(keys) == sorted(imei for (imei,) in desk.rows(taken, "imei"))


def test_a_malformed_identity_has_the_same_key_in_every_source_and_file(desk: Desk) -> None:
    observed = desk.take("observations", OBSERVED + "20261005,a1b2,,,\n")
    listed = desk.take("barred", "imei\nA1B2\n")
    other = desk.take("associations", "uid,imei\nP, A1b2 \n")
    known = {key for ingest in (observed, listed, other) for key, *_ in desk.malformed(ingest)}
    assert len(known) == 1
    assert known == {imei for (imei,) in desk.entries("barred", "imei")}
    digest = hashlib.md5(b"A1B2", usedforsecurity=False).digest()
    assert known == {-1 - (int.from_bytes(digest[8:], "little") >> 2)}


def test_keys_of_many_malformed_identities_do_not_collide(desk: Desk) -> None:
    letters = itertools.islice(itertools.product(string.hexdigits[:16] + "*#", repeat=4), 60_000)
    texts = {"".join(four).upper() for four in letters}
    taken = desk.take("barred", "imei\n" + "\n".join(sorted(texts)) + "\n")
    assert taken.counts.kept == len(texts) == len({key for key, *_ in desk.malformed(taken)})


def test_a_well_formed_identity_has_no_dictionary_and_its_number_is_its_digits(desk: Desk) -> None:
    taken = desk.take("barred", "imei\n00000000000000\n01234567890123\n99999999999999\n")
    assert desk.entries("barred", "imei") == [(0,), (1234567890123,), (99999999999999,)]
    assert desk.malformed(taken) == []


NUMBERS = ["0", "00", "1", "01", "10", "000000000000000", "999999999999999", "011010000000001", "0000000007"]


def test_leading_zeros_of_imsis_and_msisdns_survive(desk: Desk) -> None:
    rows = "".join(f"20261005,,{n},{m},\n" for n, m in zip(NUMBERS, reversed(NUMBERS), strict=True))
    taken = desk.strictly("subscribers", "uid,imsi\n" + "".join(f"P,{n}\n" for n in NUMBERS))
    assert taken.counts.kept == len(NUMBERS)
    observed = desk.take("observations", OBSERVED + rows)
    as_text = "substr(imsi::VARCHAR, 2), substr(msisdn::VARCHAR, 2)"
    assert set(desk.rows(observed, as_text)) == set(zip(NUMBERS, reversed(NUMBERS), strict=True))
    assert {text for (text,) in desk.entries("subscribers", "substr(imsi::VARCHAR, 2)")} == set(NUMBERS)


@pytest.mark.parametrize(
    ("text", "hashed"),
    [
        ("35675904000001", "35675904000001"),
        ("356759040000018", "35675904000001"),
        (" 3567590400000100", "35675904000001"),
        ("abc*#", "ABC*#"),
    ],
)
def test_of_a_golden_device_only_the_hash_of_its_normal_form_is_kept(
    desk: Desk, text: str, hashed: str
) -> None:
    digest = hashlib.md5(hashed.encode(), usedforsecurity=False).hexdigest()
    taken = desk.strictly("golden", f"golden_imei\n{text}\n{digest.upper()}\n{digest}\n")
    assert desk.entries("golden", "imei_md5") == [(digest,)]
    assert (taken.counts.kept, taken.counts.folded) == (1, 2)


def test_a_hash_has_thirty_two_characters_neither_more_nor_fewer(desk: Desk) -> None:
    text = "golden_imei\n" + "".join(f"{'a' * n}\n" for n in (31, 32, 33, 17, 16))
    taken = desk.take("golden", text)
    assert [q.line for q in desk.quarantined(taken)] == [2, 4, 5]


def test_stored_columns_are_those_that_the_source_declares(desk: Desk) -> None:
    for source in all_sources().values():
        name = "operator1_20260901_20260930.csv" if source.dated_name else None
        taken = desk.take(source.name, source.example, name=name)
        (path,) = (desk.workspace.path(p) for p in taken.files["data"])
        found = [
            (n, t)
            for n, t, *_ in query(f"DESCRIBE SELECT * FROM read_parquet('{path}', hive_partitioning = FALSE)")
        ]
        if source.folded != "months":
            assert found == [(c.name, c.type) for c in source.table.columns]
