"""One engine for all of a register's work, one command after another."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from building import Register, compact
from ceir.pipeline.classify import running
from ceir.pipeline.engines import DuckEngine, Limits

from .conditions import BARRED, HEAD, STOLEN, WATCHED

D = date(2026, 3, 31)
A, B, C = "35100001000001", "35100001000002", "35100001000003"


class KeptEngine(DuckEngine):
    """An engine that is closed by nobody but the test."""

    def close(self) -> None:
        """Nothing yet."""

    def end(self) -> None:
        """Free everything."""
        super().close()


@pytest.mark.parametrize("mode", ["permissive", "restrictive"])
def test_one_engine_classifies_changes_and_publishes_them_again_and_again(
    tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MOST_CHANGED", 10.0)
    policy = f'mode = "{mode}"\n' + HEAD + STOLEN + BARRED + WATCHED
    kept = KeptEngine(Limits(tmp_path / "scratch", threads=1))
    one = Register.make(tmp_path / "one", policy, engine=lambda: kept)
    each = Register.make(tmp_path / "each", policy)
    told = []
    for register in (one, each):
        rows = [f"{compact(D)},{imei},111010000000001,220000000001,006" for imei in (A, B, C, "ABC")]
        register.take("observations", rows, D, operator="operator1")
        register.take("stolen", [f"{A},,"], D)
        for number, barred in enumerate(([A, B], [B, C], [C])):
            register.take("barred", barred, D)
            run = register.run(D + timedelta(days=number))
            assert run.mode == ("changed" if number else "full")
            told.append((register.export(), register.list_bytes()))
        assert register.run(D + timedelta(days=3), full=True).mode == "full"
        told.append((register.export(), register.list_bytes()))
    kept.end()
    assert told[:4] == told[4:]
    assert len({export for export, _ in told[:4]}) >= 3
