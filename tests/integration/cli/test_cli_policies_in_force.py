"""From looking at a policy to blocks that come step by step, as a person types it."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from ceir.policy import shipped_policies

from .conftest import Ceir

BUDGET = "[budget]\nwrongly_cut_lines_per_1000 = 1\n\n"
STEPS = """
[release]
key = "drawn-at-random-once"
[release.conditions.stolen]
steps = [{ day = 0, share = 0.25 }, { day = 60, share = 1 }]
"""


class Page(HTMLParser):
    """Counts what stands on a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in ("src", "href")]


def changed(tmp_path: Path, more: str = "") -> Path:
    text = (shipped_policies()["examplia"] / "policy.toml").read_text(encoding="utf-8")
    text = text.replace("version = 1", "version = 2", 1).replace("[lists]", f"{BUDGET}[lists]", 1)
    file = tmp_path / "changed.toml"
    file.write_text(text + more, encoding="utf-8")
    return file


def test_a_policy_is_looked_at_put_in_force_and_its_blocks_are_taken_back(
    ready: Ceir, tmp_path: Path
) -> None:
    file, page, kept = changed(tmp_path, STEPS), tmp_path / "page.html", tmp_path / "what-if.json"
    shown = ready.type("what-if", "--policy", file, "--since", "2026-10-01", "--every", "15", "--html", page)
    assert "Not calibrated" in shown.output
    assert "By operator" in shown.output
    found = ready.json("what-if", "--policy", file, "--since", "2026-10-01", "--every", "15")
    kept.write_text(json.dumps(found), encoding="utf-8")
    assert found["continued_from"] == 1
    text = page.read_text(encoding="utf-8")
    tags = Page(text).tags
    assert tags.count("svg") > 5 <= tags.count("table")
    assert not {"script", "link", "img", "iframe"} & set(tags)
    assert not re.search(r"https?://", text)

    made = ready.json("activate", file, "--what-if", kept)
    assert made["activation"]["budget"] == 1
    assert (ready.workspace / "policy.toml").read_text() == file.read_text()
    ready.type("run", "--as-of", "2026-11-01")
    status = ready.json("release")
    before = {r["release"]: r for r in status["releases"]}
    assert status["staged_by"] == "pipeline"
    assert any(r["ahead"] for r in before.values())
    refused = ready.json("release", "undo", "stolen", expect=2)
    assert refused["error"]["code"] == "usage"
    undone = ready.json("release", "undo", "stolen", "--because", "a wrong file", "--by", "A. Officer")
    assert undone["order"]["what"] == "undo"
    after = ready.json("release")
    assert all(r["out"] == r["ahead"] == 0 for r in after["releases"])
    assert "undone" in ready.type("release").output
    assert ready.json("release", "undo", "stolen", "--because", "x", "--by", "y", expect=1)["error"][
        "code"
    ] == ("release_order_refused")


def test_what_speaks_against_a_policy_is_told_with_what_to_type(ready: Ceir, tmp_path: Path) -> None:
    file = changed(tmp_path)
    stricter = file.read_text().replace("[conditions.stolen]", "[conditions.also_stolen]", 1)
    file.write_text(stricter, encoding="utf-8")
    refused = ready.json("activate", file, "--accept", "what-if", "--because", "in a hurry", expect=2)
    assert "--by" in refused["error"]["hint"]
    refused = ready.json(
        "activate", file, "--accept", "what-if", "--because", "in a hurry", "--by", "A. Officer", expect=1
    )
    assert refused["error"]["code"] == "activation_refused"
    assert "--accept also_stolen" in refused["error"]["hint"]
    assert not ready.catalogue()["activations"][-1]["by"]
