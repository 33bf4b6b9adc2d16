"""The models of the country: which TACs there are, how popular each is and what radio each can use."""

import csv
import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from functools import cached_property
from pathlib import Path

import numpy as np

from ceir.testing.country import text
from ceir.testing.country.draws import Bytes, Draws, Ints
from ceir.testing.country.spec import CountrySpec, CountrySpecError

SERIALS = 1_000_000
"""Serial numbers of a TAC (3GPP TS 23.003 clause 6.2.1: six digits)."""

LARGEST_SHARE = 400_000
"""Devices that ordinary numbering may give a TAC: two serial numbers each, the rest kept for wrongdoing."""


class Radio(IntEnum):
    """The hardware's radio generation: which RAT codes a device of the model produces."""

    G2 = 0
    G3 = 1
    G4 = 2
    G5 = 3
    IOT_WIDE = 4
    IOT_2G = 5


class Purpose(IntEnum):
    """What the country uses a TAC for; only ordinary ones are on sale."""

    ORDINARY = 0
    IOT = 1
    BARRED = 2
    UNCERTIFIED = 3


_BANDS = {
    Radio.G2: "GSM 900,GSM 1800",
    Radio.G3: "GSM 900,GSM 1800,WCDMA FDD Band I,HSUPA,HSDPA",
    Radio.G4: "GSM 900,GSM 1800,WCDMA FDD Band I,HSDPA,LTE FDD BAND 3,LTE FDD BAND 20",
    Radio.G5: "GSM 900,WCDMA FDD Band I,HSDPA,LTE FDD BAND 3,LTE FDD BAND 7,5G NR N78",
    Radio.IOT_WIDE: "GSM 900,LTE FDD BAND 8,LTE FDD BAND 20",
    Radio.IOT_2G: "GSM 900",
}
_RADIO_TEXTS = ("GSM", "GSM WCDMA", "GSM WCDMA LTE", "GSM WCDMA LTE NR", "GSM LTE", "GSM")
_RADIO_WEIGHTS = (13, 12, 50, 25)
_FIRST_YEAR = {
    Radio.G2: 2003,
    Radio.G3: 2010,
    Radio.G4: 2016,
    Radio.G5: 2021,
    Radio.IOT_WIDE: 2019,
    Radio.IOT_2G: 2012,
}

_MAKERS = (
    "Kestrel", "Northvale", "Amberline", "Zephyra", "Tokaru", "Lumina Mobile", "Orrin", "Vantage", "Halden",
    "Quill", "Brightwave", "Corvid", "Selkie", "Ironbark", "Meridian", "Pavo", "Tamarack", "Ostara", "Fennec",
    "Cobalt Bay", "Dovetail", "Larkspur", "Solstice", "Wren",
)  # fmt: skip
_SERIES = ("A", "C", "M", "Note", "One", "Plus", "S", "Pro", "Lite", "X", "Neo", "Go")

# Reporting bodies of the invented TACs and how many of a hundred TACs each has allocated.
_BODIES = ("35", "86", "01", "99", "91")
_BODY_WEIGHTS = (60, 20, 15, 3, 2)

UNALLOCATED = 40
"""TACs in use that nobody allocated."""

HEADER = (
    "TAC|Marketing Name|Internal Model Name|Manufacturer|Bands|Allocation Date|Country Code|Fixed Code|"
    "Manufacturer Code|Radio Interface|Brand Name|Model Name|Operating System|NFC|Bluetooth|WLAN|Device Type"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Model:
    """A manufacturer's model; `rank` 0 is the most popular."""

    rank: int
    maker: str
    name: str
    radio: Radio
    device_type: str
    released: date


@dataclass(frozen=True)
class ModelTexts:
    """Texts about each TAC, a row a position of the catalogue."""

    makers: Bytes
    names: Bytes
    types: Bytes
    radios: Bytes


@dataclass(frozen=True)
class Catalogue:
    """The TAC list: one position a TAC."""

    models: tuple[Model, ...]
    tac: Ints
    model: Ints
    radio: Ints
    purpose: Ints
    weight: Ints
    """Popularity among ordinary devices, in parts per thousand million; 0 for other purposes."""
    nameless: frozenset[int]
    """Positions whose list row has no model name."""
    bandless: frozenset[int]
    """Positions whose list row has no bands."""
    unallocated: Ints
    """TACs that are not on the list but in use."""

    @cached_property
    def texts(self) -> ModelTexts:
        """What is written about each TAC on other lists."""
        chosen = [self.models[place] for place in self.model.tolist()]
        return ModelTexts(
            makers=text.table([model.maker for model in chosen]),
            names=text.table([model.name for model in chosen]),
            types=text.table([model.device_type for model in chosen]),
            radios=text.table(_RADIO_TEXTS)[self.radio],
        )

    def positions(self, purpose: Purpose) -> Ints:
        """The TACs of a purpose."""
        return np.flatnonzero(self.purpose == purpose)

    def plain_2g(self) -> Ints:
        """Ordinary TACs of which everybody can know that they have 2G only."""
        incomplete = np.asarray(sorted(self.nameless | self.bandless), dtype=np.int64)
        candidates = np.flatnonzero((self.purpose == Purpose.ORDINARY) & (self.radio == Radio.G2))
        return np.setdiff1d(candidates, incomplete)


def make_catalogue(spec: CountrySpec, draws: Draws) -> Catalogue:
    """The country's TAC list, with invented models or those of `spec.tacs`."""
    named = _invented(spec, draws) if spec.tacs is None else _read(spec.tacs, spec, draws)
    models, tac, model = named
    count = len(tac)
    places = np.arange(count)
    purpose = np.full(count, Purpose.ORDINARY, dtype=np.int64)
    types = np.asarray([m.device_type == "IoT Device" for m in models])
    purpose[types[model]] = Purpose.IOT
    radio = np.asarray([m.radio for m in models], dtype=np.int64)[model]
    # Rare modern models, so that barring or not approving them touches no popular one.
    rare = places[(purpose == Purpose.ORDINARY) & (radio == Radio.G4)][::-1]
    barred, uncertified = max(1, count // 600), max(2, count // 150)
    purpose[rare[:barred]] = Purpose.BARRED
    purpose[rare[barred : barred + uncertified]] = Purpose.UNCERTIFIED

    ranks = np.asarray([m.rank for m in models], dtype=np.int64)
    of_model = np.bincount(model, minlength=len(models))
    weight = np.where(purpose == Purpose.ORDINARY, 10**9 // ((ranks[model] + 8) * of_model[model]), 0)
    gaps = draws.below("tac-gaps", places, 1000)
    if not np.any((purpose == Purpose.ORDINARY) & (radio == Radio.G2) & (gaps >= 35)):
        raise CountrySpecError("The TAC list has no model with 2G only.", "Ask for more TACs.")
    listed = set(tac.tolist())
    spare = draws.permutation("unallocated", 900_000).of(np.arange(100 * UNALLOCATED)) + 50_000
    bodies = np.asarray([35, 35, 86, 99])[np.arange(len(spare)) % 4]
    unlisted = [t for t in (bodies * 1_000_000 + spare).tolist() if t not in listed and t != 99_999_999]
    return Catalogue(
        models=models,
        tac=tac,
        model=model,
        radio=radio,
        purpose=purpose,
        weight=weight,
        nameless=frozenset(np.flatnonzero(gaps < 10).tolist()),
        bandless=frozenset(np.flatnonzero((gaps >= 10) & (gaps < 35)).tolist()),
        unallocated=np.asarray(unlisted[:UNALLOCATED], dtype=np.int64),
    )


def tac_list(catalogue: Catalogue, draws: Draws) -> str:
    """The TAC list as the GSMA's pipe-separated text."""
    places = np.arange(len(catalogue.tac))
    later = draws.below("allocation", places, 700).tolist()
    lines = [HEADER]
    for place in np.argsort(catalogue.tac, kind="stable").tolist():
        tac = f"{catalogue.tac[place]:08d}"
        model = catalogue.models[catalogue.model[place]]
        day = model.released + timedelta(days=later[place])
        name = "" if place in catalogue.nameless else model.name
        bands = "" if place in catalogue.bandless else _BANDS[model.radio]
        smart = model.device_type in {"Smartphone", "Tablet"}
        lines.append(
            f"{tac}|{model.maker} {model.name}|{model.name}|{model.maker}|{bands}"
            f"|{day.day:02d}-{_MONTHS[day.month - 1]}-{day.year}|{tac[:2]}|{tac[2:4]}|{tac[4:6]}"
            f"|{'NONE' if not bands else bands.replace(',', ' ')}|{model.maker}|{name}"
            f"|{'Android' if smart else 'None'}|{'Y' if smart else 'N'}|{'Y' if smart else 'N'}"
            f"|{'Y' if smart else 'N'}|{model.device_type}"
        )
    return "\n".join(lines) + "\n"


def _model(rank: int, maker: str, name: str, draws: Draws) -> Model:
    at = np.asarray([rank])
    radio = Radio(int(draws.pick("radio", at, _RADIO_WEIGHTS)[0]))
    # Every hundredth model serves fleets; the first ranks hold one of each kind however short the list is.
    if rank % 100 in {6, 7}:
        radio = Radio.IOT_WIDE if rank % 2 else Radio.IOT_2G
    elif rank in {3, 4, 5}:
        radio = (Radio.G2, Radio.G4, Radio.G5)[rank - 3]
    kind = int(draws.below("device-type", at, 100)[0])
    if radio in {Radio.IOT_WIDE, Radio.IOT_2G}:
        device_type = "IoT Device"
    elif radio == Radio.G2:
        device_type = "Mobile Phone/Feature phone"
    elif kind < 86 or rank < 30:
        device_type = "Smartphone"
    else:
        device_type = ("Tablet", "Modem", "Wearable", "WLAN Router")[kind % 4]
    offset = int(draws.below("release", at, 1100)[0])
    return Model(
        rank, maker, name, radio, device_type, date(_FIRST_YEAR[radio], 1, 15) + timedelta(days=offset)
    )


def _invented(spec: CountrySpec, draws: Draws) -> tuple[tuple[Model, ...], Ints, Ints]:
    models: list[Model] = []
    model_of: list[int] = []
    while len(model_of) < spec.tac_count:
        rank = len(models)
        at = np.asarray([rank])
        maker = _MAKERS[int(draws.pick("maker", at, [60 // (i + 1) + 1 for i in range(len(_MAKERS))])[0])]
        series = _SERIES[int(draws.below("series", at, len(_SERIES))[0])]
        models.append(_model(rank, maker, f"{series}{100 + rank}", draws))
        tacs = 1 + int(draws.pick("tacs-a-model", at, (40, 25, 15, 8, 6, 3, 2, 1))[0])
        model_of += [rank] * min(tacs, spec.tac_count - len(model_of))
    places = np.arange(spec.tac_count)
    body = draws.pick("body", places, _BODY_WEIGHTS)
    # 50,000 on either side stay free: no TAC that makes a placeholder or a test IMEI.
    inner = draws.permutation("tac", 900_000).of(places) + 50_000
    tac = np.asarray([int(b) for b in _BODIES])[body] * 1_000_000 + inner
    tac = np.where(tac == 1_234_567, 1_049_999, tac)
    return tuple(models), tac, np.asarray(model_of, dtype=np.int64)


def _read(path: Path, spec: CountrySpec, draws: Draws) -> tuple[tuple[Model, ...], Ints, Ints]:
    """Models of a CSV `tac,brand,model,aka`; invented ones follow if it holds too few TACs."""
    found: dict[int, tuple[str, str]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            maker, name = (re.sub(r'[|",;\s]+', " ", row[key] or "").strip() for key in ("brand", "model"))
            if re.fullmatch(r"[02-9][0-9]{7}", row["tac"]) and not _reserved(row["tac"]) and maker and name:
                found.setdefault(int(row["tac"]), (maker, name))
    if len(found) < 200:
        raise CountrySpecError(f"{path.name} holds {len(found)} usable TACs.", "At least 200 are needed.")
    order = draws.permutation("tac-file", len(found)).of(np.arange(len(found)))
    tacs = np.asarray(sorted(found), dtype=np.int64)[order][: spec.tac_count]
    models: dict[tuple[str, str], Model] = {}
    model_of: list[int] = []
    for tac in tacs.tolist():
        maker, name = found[tac]
        model = models.setdefault((maker, name), _model(len(models), maker, name, draws))
        model_of.append(model.rank)
    missing = spec.tac_count - len(tacs)
    if missing > 0:
        more, more_tacs, more_of = _invented(spec, draws)
        free = np.flatnonzero(~np.isin(more_tacs, tacs))[:missing]
        base = len(models)
        extra = tuple(Model(base + m.rank, m.maker, m.name, m.radio, m.device_type, m.released) for m in more)
        return (
            (*models.values(), *extra),
            np.concatenate([tacs, more_tacs[free]]),
            np.concatenate([np.asarray(model_of, dtype=np.int64), more_of[free] + base]),
        )
    return tuple(models.values()), tacs, np.asarray(model_of, dtype=np.int64)


def _reserved(tac: str) -> bool:
    """TACs that make a test IMEI or a placeholder."""
    return (
        tac.startswith(("0010", "0044", "0086", "0091"))
        or tac in {"01234567", "98765432"}
        or len(set(tac)) == 1
    )
