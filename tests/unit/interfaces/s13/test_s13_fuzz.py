import importlib.util
import random
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[4]
CORPUS = sorted((ROOT / "fuzz" / "corpus" / "s13").glob("*.bin"))


def harness() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_s13", ROOT / "fuzz" / "s13.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("opened", [True, False])
def test_the_fuzzing_harness_finds_nothing_in_its_seeds_its_corpus_and_some_damage(opened: bool) -> None:
    fuzz = harness()
    service = fuzz.Service(fuzz.SERVER, [fuzz.Peer(fuzz.MME.host)], fuzz.Fixed(), fuzz.Limits(), lambda: 0.0)
    draw = random.Random(20)
    inputs = fuzz.SEEDS + [path.read_bytes() for path in CORPUS]
    inputs += [fuzz.damaged(draw, fuzz.SEEDS) for _ in range(1500)]
    for octets in inputs:
        fuzz.try_one(service, octets, list(fuzz.pieces(draw, octets)), opened=opened)
    assert service.counters.answered > 100 or not opened


def test_the_fuzzing_harness_notices_a_quick_reader_that_is_too_generous(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fuzz = harness()
    service = fuzz.Service(fuzz.SERVER, [fuzz.Peer(fuzz.MME.host)], fuzz.Fixed(), fuzz.Limits(), lambda: 0.0)
    right = fuzz.read_quickly
    monkeypatch.setattr(
        fuzz, "read_quickly", lambda *words: (found := right(*words)) and found._replace(imei=1)
    )
    with pytest.raises(fuzz.BrokenPromiseError, match="differ"):
        fuzz.try_one(service, fuzz.SEEDS[3], [fuzz.SEEDS[3]], opened=True)
