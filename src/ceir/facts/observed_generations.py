"""Which generations of radio technology the equipment was seen on."""

from ceir.facts.declaration import Fact
from ceir.identifiers.rat import GENERATION_MASKS, Generation

FACT = Fact(
    name="observed_generations",
    title="Seen on",
    doc="Generations of radio technology the network saw the equipment use; Wi-Fi and other access left out.",
    type="INTEGER",
    expression="("
    + " + ".join(
        f"CASE WHEN (rats & {mask}) <> 0 THEN {int(generation)} ELSE 0 END"
        for generation, mask in GENERATION_MASKS.items()
        if generation is not Generation.NON_CELLULAR
    )
    + ")",
    show="generations",
    unit="mask of ceir.identifiers.rat.Generation",
)
