from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from types import MappingProxyType

from ceir.identifiers._invalid import InvalidIdentifierError

CODE_SEPARATOR = "|"


class Generation(IntFlag):
    """Generations of radio technology, as bits of a mask.

    `NON_CELLULAR` in an observation means Wi-Fi or the like; as a capability it means that bands are declared
    and none of them is cellular.
    """

    NON_CELLULAR = 1
    G2 = 2
    G3 = 4
    G4 = 8
    G5 = 16


_GENERATION_NAMES = MappingProxyType(
    {
        Generation.G2: "2G",
        Generation.G3: "3G",
        Generation.G4: "4G",
        Generation.G5: "5G",
        Generation.NON_CELLULAR: "non-cellular",
    }
)


@dataclass(frozen=True, slots=True)
class RadioTechnology:
    """A radio access technology that operators report.

    Args:
        code: three digits, as in operators' files.
        name: as its specification calls it.
        generation: one generation.
        bit: its place in a mask of technologies ("rats"), 0 for the lowest; never reused, tables store it.
    """

    code: str
    name: str
    generation: Generation
    bit: int

    @property
    def mask(self) -> int:
        """The mask with this technology alone."""
        return 1 << self.bit


TECHNOLOGIES: tuple[RadioTechnology, ...] = (
    RadioTechnology("001", "UTRAN", Generation.G3, 0),
    RadioTechnology("002", "GERAN", Generation.G2, 1),
    RadioTechnology("003", "WLAN", Generation.NON_CELLULAR, 2),
    RadioTechnology("004", "GAN", Generation.NON_CELLULAR, 3),
    RadioTechnology("005", "HSPA Evolution", Generation.G3, 4),
    RadioTechnology("006", "E-UTRAN", Generation.G4, 5),
    RadioTechnology("007", "Virtual", Generation.NON_CELLULAR, 6),
    RadioTechnology("008", "NB-IoT", Generation.G4, 7),
    RadioTechnology("009", "LTE-M", Generation.G4, 8),
    RadioTechnology("010", "NR", Generation.G5, 9),
    RadioTechnology("101", "WiMAX (IEEE 802.16e)", Generation.G4, 10),
    RadioTechnology("102", "eHRPD", Generation.G3, 11),
    RadioTechnology("103", "HRPD", Generation.G3, 12),
    RadioTechnology("104", "1xRTT", Generation.G2, 13),
    RadioTechnology("105", "UMB", Generation.G4, 14),
)
"""In order of their bits. Codes 1 to 10: RAT Type of 3GPP TS 29.274 clause 8.17; 101 to 105: 3GPP-RAT-Type of
TS 29.061 clause 16.4.7, for technologies that 3GPP did not specify."""

ALL_TECHNOLOGIES_MASK = (1 << len(TECHNOLOGIES)) - 1

_MASK_BY_CODE = MappingProxyType({technology.code: technology.mask for technology in TECHNOLOGIES})

GENERATION_MASKS: Mapping[Generation, int] = MappingProxyType(
    {
        generation: sum(technology.mask for technology in TECHNOLOGIES if technology.generation is generation)
        for generation in Generation
    }
)
"""For each generation the bits that its technologies have in a mask of technologies."""


def mask_of_codes(text: str) -> int:
    """The mask of technologies for codes as they stand in an operator's file.

    Args:
        text: three-digit codes joined by `|`, like `002|006`; empty: nothing reported, mask 0.

    Raises:
        InvalidIdentifierError: a code that is not in `TECHNOLOGIES`, or an empty place between two bars.
    """
    mask = 0
    for code in text.split(CODE_SEPARATOR) if text else ():
        bit = _MASK_BY_CODE.get(code)
        if bit is None:
            raise InvalidIdentifierError(
                f"{code[:16]!r} is not the code of a radio technology.",
                f"Known codes: {', '.join(_MASK_BY_CODE)}, joined by a bar.",
            )
        mask |= bit
    return mask


def codes_of_mask(rats_mask: int) -> str:
    """The codes in a mask of technologies, in order of their bits and joined by `|`: undoes `mask_of_codes`.

    Raises:
        InvalidIdentifierError: a bit that no technology has.
    """
    _require_known_bits(rats_mask, ALL_TECHNOLOGIES_MASK, "technology")
    return CODE_SEPARATOR.join(technology.code for technology in TECHNOLOGIES if rats_mask & technology.mask)


def generation_mask(rats_mask: int) -> Generation:
    """The generations of the technologies in a mask of technologies.

    Raises:
        InvalidIdentifierError: a bit that no technology has.
    """
    _require_known_bits(rats_mask, ALL_TECHNOLOGIES_MASK, "technology")
    generations = Generation(0)
    for generation, bits in GENERATION_MASKS.items():
        if rats_mask & bits:
            generations |= generation
    return generations


def describe(generations: int) -> str:
    """A mask of generations in words, like `2G, 4G`; `none` for an empty one.

    Args:
        generations: a mask of `Generation`, not of technologies: `describe(generation_mask(rats))`.

    Raises:
        InvalidIdentifierError: a bit that no generation has.
    """
    _require_known_bits(generations, sum(Generation), "generation")
    names = [name for generation, name in _GENERATION_NAMES.items() if generations & generation]
    return ", ".join(names) or "none"


def _require_known_bits(mask: int, known: int, kind: str) -> None:
    if mask < 0 or mask & ~known:
        raise InvalidIdentifierError(f"The mask {mask} has a bit that no radio {kind} has.")


CAPABILITY_TOKENS: Mapping[Generation, tuple[str, ...]] = MappingProxyType(
    {
        Generation.G2: ("GSM", "GPRS", "EDGE", " CDMA ", ",CDMA ", "/CDMA "),
        Generation.G3: (
            "HSPA",
            "HSUPA",
            "HSDPA",
            "EVDO",
            "WCDMA",
            "UMTS",
            "TDS-CDMA",
            "TD-SCDMA",
            "CDMA2000",
        ),
        Generation.G4: ("LTE", "CA_", "DC_", "WIMAX", "UMB"),
        Generation.G5: ("5G", " NR", ",NR", "/NR", ";NR", "|NR"),
    }
)
"""Upper-case texts that, anywhere in the `bands` of a TAC record, say that the model has the generation."""

CAPABILITY_PREFIXES: Mapping[Generation, tuple[str, ...]] = MappingProxyType(
    {Generation.G2: ("CDMA ",), Generation.G5: ("NR",)}
)
"""Upper-case texts that say so only at the very beginning."""

NON_CELLULAR_TOKENS = ("WLAN", "WIFI", "WI-FI", "BLUETOOTH", "DECT", "SATELLITE")
"""Upper-case texts that, with no cellular technology beside them, say that the model has none.

Why a list: records say "Not Known" or a bare frequency too, and what cannot be read must count as unknown,
never as "cannot use any network"."""


def generations_of_bands(text: str) -> Generation | None:
    """The generations that the `bands` text of a TAC record declares, in any letter case.

    Returns:
        None when the text says nothing that can be read (capability unknown: it must never count against a
        device); `NON_CELLULAR` when it names only technologies that are not cellular.
    """
    bands = text.upper()
    generations = Generation(0)
    for generation, tokens in CAPABILITY_TOKENS.items():
        if any(token in bands for token in tokens) or bands.lstrip().startswith(
            CAPABILITY_PREFIXES.get(generation, ())
        ):
            generations |= generation
    if not generations and any(token in bands for token in NON_CELLULAR_TOKENS):
        return Generation.NON_CELLULAR
    return generations or None
