"""A small country for tests of devices: models, lists, numbers that people hold."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from drawn import counted_draw
from people import NOW, actor

from ceir.identifiers import Imei, Msisdn, Plmn, Tac
from ceir.registry.actors import Actor, Role
from ceir.registry.codes.allowing import Limits
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import Proof, issue, verify
from ceir.registry.devices.identifying import Identifiers, Model
from ceir.registry.registrations.policies import RegistrationPolicy
from ceir.registry.registrations.registering import Surroundings
from ceir.registry.standing import Standing

OPPO = Model("Oppo", "N1", "Oppo", "Smartphone", "LTE", 2)
MODELS = {
    "35675904": OPPO,
    "35675905": OPPO,
    "86123404": Model("Nokia", "105", "Nokia", "Feature phone", "GSM", 1),
    "35209900": Model("Telit", "ME310", "Telit", "Module", "LTE-M", 1),
    "00440001": Model("Lab", "Tester", "", "Test", "", 0),
}
PLMN = Plmn("111", "01")
OTHER_PLMN = Plmn("111", "02")
LOOSE = Limits(wait=timedelta(0), number_hour=1000, number_day=1000, actor_day=10000)
POLICY = RegistrationPolicy()

STANDINGS: dict[Imei, Standing] = {}


def model_of(tac: Tac) -> Model | None:
    return MODELS.get(tac.digits)


def standing_of(imeis: Collection[Imei]) -> Mapping[Imei, Standing]:
    return {imei: STANDINGS[imei] for imei in imeis if imei in STANDINGS}


ASKS = Surroundings(model_of, standing_of)


def imei(serial: int, tac: str = "35675904") -> Imei:
    return Imei(f"{tac}{serial:06}")


def phone(serial: int, tac: str = "35675904") -> Identifiers:
    return Identifiers((imei(serial, tac),))


def number(n: int) -> Msisdn:
    return Msisdn(f"2200000{n:05}")


def somebody(n: int = 1) -> Actor:
    return actor(Role.CONSUMER, f"consumer-{n}")


def proof_of(purpose: Purpose, n: int = 1, by: Actor | None = None, at: datetime = NOW) -> Proof:
    """That somebody holds number `n`."""
    who = by or somebody(n)
    issued = issue(purpose, number(n), draw=counted_draw(), actor=who, at=at, limits=LOOSE)
    return verify(purpose, number(n), issued.text, actor=who, at=at, limits=LOOSE)
