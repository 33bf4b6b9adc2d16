"""The committed reference pages are what the declarations say."""

from pathlib import Path

import pytest

from ceir.reference import pages

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"
PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_the_committed_page_is_what_the_declarations_give(name: str) -> None:
    file = FOLDER / name
    assert file.is_file(), f"docs/reference/{name} is missing: uv run just reference"
    assert file.read_text(encoding="utf-8") == PAGES[name], (
        f"docs/reference/{name} is out of date: uv run just reference"
    )


def test_no_page_is_left_over_from_a_declaration_that_is_gone() -> None:
    assert {file.name for file in FOLDER.glob("*.md")} == set(PAGES)


def test_pages_made_twice_are_the_same() -> None:
    assert pages() == PAGES
