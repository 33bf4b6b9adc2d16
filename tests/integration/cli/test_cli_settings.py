import ast
from pathlib import Path

import pytest

import ceir
from ceir.settings import SettingsError, all_settings, read_settings


def test_every_setting_says_what_it_is_and_what_to_do_after_changing_it() -> None:
    found = list(all_settings())
    assert len(found) >= 6
    for setting in found:
        assert setting.doc.endswith(".")
        assert setting.after_change
        assert setting.variable == f"CEIR_{setting.name.upper()}"


def test_settings_come_from_the_environment_and_the_command_line_wins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CEIR_THREADS", "3")
    monkeypatch.setenv("CEIR_WAIT_SECONDS", "1.5")
    monkeypatch.setenv("CEIR_MEMORY_GB", "")
    assert read_settings().threads == 3
    assert read_settings(threads=2, wait_seconds=None).threads == 2
    assert read_settings().wait_seconds == 1.5
    assert read_settings().memory_gb is None


def test_every_fault_of_the_settings_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CEIR_THREADS", "0")
    with pytest.raises(SettingsError, match=r"threads.*engine"):
        read_settings(engine="abacus")


def test_only_the_command_line_reads_settings() -> None:
    root = Path(ceir.__file__).parent
    readers = []
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if "ceir.settings" in names:
                readers.append(path.relative_to(root).parts[0])
    assert set(readers) - {"reference.py"} == {"cli"}
