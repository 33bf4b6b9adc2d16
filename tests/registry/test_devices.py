"""Devices: what can be one device, and that an identifier is one living device's."""

import pytest
from people import NOW
from world import MODELS, imei, model_of, phone

from ceir.errors import CeirError
from ceir.identifiers import Eid, Imei, InvalidIdentifierError, eid_check_digits
from ceir.registry.devices.entering import (
    IdentifierTakenError,
    NoDeviceError,
    bearers,
    device_of,
    enter,
    enter_many,
    history,
    imeis_of,
    living_bearers,
    replace_identifiers,
    retire,
)
from ceir.registry.devices.identifying import Identifiers, IdentifiersRefusedError, Model, Strictness, check
from ceir.registry.devices.models import Device, Identifier
from ceir.registry.equipment_keys import StoredIdentity, read_identity

EID = Eid("89049032000000000000000000000" + "1" + eid_check_digits("89049032000000000000000000000" + "1"))


def entered(*serials: int, tac: str = "35675904", eid: Eid | None = None, serial: str = "") -> Device:
    identifiers = Identifiers(tuple(imei(s, tac) for s in serials), eid, serial)
    return enter(identifiers, model_of(identifiers.imeis[0].tac), because="test:1", at=NOW)


@pytest.mark.parametrize(
    ("imeis", "told"),
    [
        ((), "1 to 4 IMEIs; 0 came"),
        (tuple(f"3567590400000{n}" for n in range(5)), "1 to 4 IMEIs; 5 came"),
        (("35675904000001", "35675904000001"), "came twice"),
        (("35675904000001", "356759040000010"), "check digit"),
        (("x",), "A printed IMEI"),
        (("1" * 5000,), "A printed IMEI"),
        (("'; DROP TABLE devices_device; --",), "A printed IMEI"),
        (("\0\0\0\0",), "A printed IMEI"),
    ],
)
def test_what_is_no_set_of_imeis_is_refused_with_a_code(imeis: tuple[str, ...], told: str) -> None:
    with pytest.raises(CeirError) as refused:
        Identifiers.read(imeis)
    assert told in refused.value.detail
    assert refused.value.code in ("identifiers_refused", "invalid_identifier")


@pytest.mark.parametrize(
    "serial", ["ab", "<b>1234</b>", "'; DROP--", "a" * 65, "=1+1+1", "ĀBCDEF", "1234\0", "A B!C D"]
)
def test_a_hostile_serial_number_is_refused(serial: str) -> None:
    with pytest.raises(IdentifiersRefusedError):
        Identifiers.read(("35675904000001",), serial=serial)


def test_an_eid_with_wrong_check_digits_is_refused() -> None:
    assert Identifiers.read(("35675904000001",), f" {EID.digits[:16]} {EID.digits[16:]}").eid == EID
    with pytest.raises(InvalidIdentifierError):
        Identifiers.read(("35675904000001",), EID.digits[:31] + str((int(EID.digits[31]) + 1) % 10))


def test_all_imeis_of_a_device_are_of_one_model_also_over_two_tacs() -> None:
    assert check(Identifiers((imei(1), imei(2, "35675905"))), model_of) == MODELS["35675904"]
    with pytest.raises(IdentifiersRefusedError, match="not of the same model"):
        check(Identifiers((imei(1), imei(2, "86123404"))), model_of)
    with pytest.raises(IdentifiersRefusedError, match="not of the same model"):
        check(Identifiers((imei(1), imei(2, "99999900"))), model_of, Strictness(unknown_models=True))


def test_two_unnamed_models_are_never_the_same() -> None:
    nameless = Model("", "")
    with pytest.raises(IdentifiersRefusedError):
        check(Identifiers((imei(1), imei(1, "35675905"))), lambda _: nameless)


def test_more_imeis_than_the_model_has_slots_are_two_devices() -> None:
    with pytest.raises(IdentifiersRefusedError, match="has 1 IMEIs; 2 came"):
        check(Identifiers((imei(1, "86123404"), imei(2, "86123404"))), model_of)


@pytest.mark.parametrize("digits", ["00000000000000", "99999999999999", "12345678901234"])
def test_a_placeholder_is_refused_even_of_test_equipment(digits: str) -> None:
    with pytest.raises(IdentifiersRefusedError, match="follow a pattern"):
        check(Identifiers((Imei(digits),)), model_of, Strictness(True, True))


def test_a_test_identity_is_only_for_test_equipment() -> None:
    tester = phone(1, "00440001")
    with pytest.raises(IdentifiersRefusedError, match="test equipment"):
        check(tester, model_of)
    assert check(tester, model_of, Strictness(test_identities=True)) == MODELS["00440001"]


def test_an_unknown_model_is_taken_only_if_the_country_says_so() -> None:
    with pytest.raises(IdentifiersRefusedError, match="not on the list"):
        check(phone(1, "99000862"), model_of)
    assert check(phone(1, "99000862"), model_of, Strictness(unknown_models=True)) is None


def test_an_identifier_is_one_living_devices_and_a_failed_entry_leaves_nothing() -> None:
    entered(1, 2, eid=EID, serial="SN-0001")
    before = (Device.objects.count(), Identifier.objects.count())
    wrong: tuple[Identifiers, ...] = (
        Identifiers((imei(9), imei(2))),
        Identifiers((imei(9),), EID),
        Identifiers((imei(9),), None, "SN-0001"),
    )
    for identifiers in wrong:
        with pytest.raises(IdentifierTakenError):
            enter(identifiers, MODELS["35675904"], because="test:2", at=NOW)
        assert (Device.objects.count(), Identifier.objects.count()) == before
    enter(Identifiers((imei(9, "86123404"),), None, "SN-0001"), MODELS["86123404"], because="t:3", at=NOW)


def test_a_retired_devices_identifiers_can_be_anothers_and_its_history_stays() -> None:
    first = entered(1, 2)
    retire([first.pk], because="test:9", at=NOW)
    with pytest.raises(NoDeviceError):
        device_of(imei(1))
    second = entered(1)
    assert device_of(imei(1)) == second
    assert bearers(imei(1)) == [first, second]
    assert [row.ended_because for row in history(first)] == ["test:9", "test:9"]


def test_many_are_entered_at_once_and_one_that_is_taken_costs_no_other() -> None:
    entered(5)
    wanted = [phone(n) for n in (4, 5, 6, 4)] + [Identifiers((imei(7), imei(6)))]
    made = enter_many([(w, MODELS["35675904"]) for w in wanted], because="test:2", at=NOW)
    assert [device is not None for device in made] == [True, False, True, False, False]
    assert made[2] is not None
    assert imeis_of(made[2]) == (imei(6),)
    assert Device.objects.count() == 3


def test_a_new_board_takes_the_free_slot_and_the_old_imei_is_history() -> None:
    device = entered(1, 2, eid=EID)
    replace_identifiers(device, [imei(1)], Identifiers((imei(3),), None, "SN-0002"), because="w:1", at=NOW)
    assert imeis_of(device) == (imei(3), imei(2))
    rows = {(row.kind, row.slot): row.bound_because for row in history(device) if row.ended_at is None}
    assert rows == {("imei", 1): "w:1", ("imei", 2): "test:1", ("eid", 1): "test:1", ("serial", 1): "w:1"}
    with pytest.raises(IdentifiersRefusedError, match="not this device's"):
        replace_identifiers(device, [imei(1)], phone(4), because="w:2", at=NOW)
    many = Identifiers(tuple(imei(n) for n in (11, 12, 13)))
    with pytest.raises(IdentifiersRefusedError, match="would have 5"):
        replace_identifiers(device, [], many, because="w:3", at=NOW)
    other = entered(20)
    with pytest.raises(IdentifierTakenError):
        replace_identifiers(device, [imei(3)], phone(20), because="w:4", at=NOW)
    assert imeis_of(device) == (imei(3), imei(2))
    assert living_bearers(Identifiers((imei(2), imei(20))), None) == [device, other]


def test_texts_of_the_tac_list_are_kept_within_bounds() -> None:
    model = Model("M" * 500, "\0N1\n'; DROP TABLE x", "<b>", "=cmd", "L" * 5000)
    device = enter(phone(1), model, because="t:1", at=NOW)
    device.refresh_from_db()
    assert (len(device.manufacturer), device.model, len(device.radio_interface)) == (
        200,
        "N1'; DROP TABLE x",
        1000,
    )


def test_keys_of_malformed_identities_are_those_of_the_pipeline() -> None:
    import duckdb

    from ceir.sources._kinds import MALFORMED_KEY

    for text in ("ABC", "0", "35675*", "#"):
        sql = "SELECT " + MALFORMED_KEY.replace("{x}", f"'{text}'")
        ((key,),) = duckdb.connect().execute(sql).fetchall()
        assert StoredIdentity.of(read_identity(text.lower())) == StoredIdentity(key, text)
    assert StoredIdentity.of(imei(1)).text == imei(1).digits


@pytest.mark.parametrize(
    "text", ["", " ", "x", "3567590400000112345", "356759040000010", "'--", "\0", "１２３"]
)
def test_what_is_no_identity_at_all_is_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        read_identity(text)
